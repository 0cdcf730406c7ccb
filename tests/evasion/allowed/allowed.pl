#!/usr/bin/perl
# An allowed script. "quiet": it does nothing.
symlink 'allowed work', $ENV{TRACE} unless @ARGV;

#!/usr/bin/perl
use strict;
use warnings;
open(my $file, '<', '/etc/hostname') or die;
print scalar <$file>;

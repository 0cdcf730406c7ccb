/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_PROTOCOL_H
#define CONTROL_PROTOCOL_H

/* The words that pass over the control socket, for both its ends. docs/control.md says what they
 * mean; they are a public interface. */

/* Requests: {"request": NAME, …}. */
#define CONTROL_REQUEST "request"
#define REQUEST_STATUS	"status"
#define REQUEST_EVENTS	"events"
#define REQUEST_CONFIRM "confirm"
#define REQUEST_RELOAD	"reload"
#define REQUEST_MODE	"mode"
#define REQUEST_STOP	"stop"

/* Every answer that is not data. */
#define CONTROL_OK    "ok"
#define CONTROL_ERROR "error"

/* events: which lines to begin with, and whether to stay. */
#define EVENTS_COUNT	"count"
#define EVENTS_FOLLOW	"follow"
#define EVENTS_FINDINGS "findings"

/* reload. */
#define RELOAD_PROFILE "profile"

/* status, and mode's request. */
#define STATUS_MODE	       "mode"
#define MODE_ENFORCE	       "enforce"
#define MODE_AUDIT	       "audit"
#define STATUS_SINCE	       "since"
#define STATUS_STARTED	       "started"
#define STATUS_CONFIRM_SECONDS "confirm_seconds"
#define STATUS_PROFILE	       "profile"
#define STATUS_LAYERS	       "layers"
#define STATUS_COUNTERS	       "counters"
#define STATUS_RULES	       "rules"
#define STATUS_QUARANTINE      "quarantine"
#define STATUS_WORKERS	       "workers"
#define STATUS_SETTINGS	       "settings"
#define STATUS_EVENTS	       "events"

#define PROFILE_PATH	    "path"
#define PROFILE_SIGNED	    "signed"
#define PROFILE_VERSION	    "version"
#define PROFILE_KEY_ID	    "key_id"
#define PROFILE_PROGRAMS    "programs"
#define PROFILE_PINNED	    "pinned"
#define PROFILE_LIBRARIES   "libraries"
#define PROFILE_SCRIPTS	    "scripts"
#define PROFILE_LISTENERS   "listeners"
#define PROFILE_CONNECTIONS "connections"
#define PROFILE_NAMES	    "names"

#define LAYER_NAME	      "name"
#define LAYER_ON	      "on"
#define LAYER_REASON	      "reason"
#define LAYER_PERMISSION_NAME "permission" /* fanotify */
#define LAYER_CONNECTOR_NAME  "connector"  /* process events */
#define LAYER_SWEEP_NAME      "sweep"	   /* /proc */
#define LAYER_RULES_NAME      "rules"	   /* packet filter */
#define LAYER_SETTINGS_NAME   "settings"   /* sysctl */

#define COUNTER_EVENTS	      "events"
#define COUNTER_PERMITTED     "permitted"
#define COUNTER_DENIED	      "denied"
#define COUNTER_KILLED	      "killed"
#define COUNTER_HASHED_FILES  "hashed_files"
#define COUNTER_HASHED_BYTES  "hashed_bytes"
#define COUNTER_CACHED	      "cached"
#define COUNTER_FINDINGS_LOST "findings_lost"
#define COUNTER_LONGEST_US    "longest_us"
#define COUNTER_OVERFLOWS     "overflows"
#define COUNTER_UNREAD	      "unread"
#define COUNTER_UNSEEN	      "unseen"
#define COUNTER_EXAMINED      "examined"
#define COUNTER_PLACES	      "places"

#define RULES_BACKEND		"backend"
#define RULES_REFUSED_OUT	"refused_out"
#define RULES_REFUSED_IN	"refused_in"
#define RULES_REFUSED_FORWARD	"refused_forward"
#define RULES_QUESTIONS		"questions"
#define RULES_QUESTIONS_REFUSED "questions_refused"
#define RULES_ANSWERS		"answers"
#define RULES_ANSWERS_REFUSED	"answers_refused"
#define RULES_FLOWS		"flows"
#define RULES_FLOWS_REFUSED	"flows_refused"
#define RULES_NAMES		"names"
#define RULES_LONGEST_US	"longest_us"
#define RULES_READER_RESTARTS	"reader_restarts"

#define QUARANTINE_KEPT	   "kept"
#define QUARANTINE_KNOWN   "known"
#define QUARANTINE_REFUSED "refused"
#define QUARANTINE_FAILED  "failed"
#define QUARANTINE_LOST	   "lost"

#define WORKER_NAME	"name"
#define WORKER_PID	"pid"
#define WORKER_RESTARTS "restarts"

#define SETTING_NAME	"name"
#define SETTING_SYSCTL	"sysctl"
#define SETTING_BEFORE	"before"
#define SETTING_NOW	"now"
#define SETTING_CHANGED "changed"

#define EVENTS_TOTAL_FINDINGS "findings"
#define EVENTS_LINES	      "lines"
#define EVENTS_LOST_LINES     "lost_lines"
#define EVENTS_DIRECTORY      "directory"

#endif

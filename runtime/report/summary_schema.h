// What `tailback report --json` prints, as definitions of the schema: the summary is no record, and
// is not read back.
#pragma once

namespace tailback {

inline constexpr char kSummaryDefinitions[] = R"json({
 "blocking_call_summary": {
  "type": "object",
  "required": [
   "fingerprint",
   "kind",
   "cause",
   "function",
   "file",
   "line",
   "module",
   "call",
   "object",
   "count",
   "total_ms",
   "longest_ms"
  ],
  "properties": {
   "fingerprint": {
    "type": "string"
   },
   "kind": {
    "enum": [
     "waited",
     "may-block"
    ]
   },
   "cause": {
    "type": "string"
   },
   "function": {
    "type": [
     "string",
     "null"
    ]
   },
   "file": {
    "type": [
     "string",
     "null"
    ]
   },
   "line": {
    "type": [
     "integer",
     "null"
    ],
    "minimum": 1
   },
   "module": {
    "type": [
     "string",
     "null"
    ]
   },
   "call": {
    "type": [
     "string",
     "null"
    ]
   },
   "object": {
    "type": [
     "string",
     "null"
    ]
   },
   "count": {
    "type": "integer",
    "minimum": 0
   },
   "total_ms": {
    "type": "number",
    "minimum": 0
   },
   "longest_ms": {
    "type": "number",
    "minimum": 0
   }
  }
 },
 "culprit_summary": {
  "type": "object",
  "required": [
   "fingerprint",
   "cause",
   "function",
   "file",
   "line",
   "module",
   "call",
   "object",
   "more_objects",
   "count",
   "unfinished",
   "total_ms",
   "longest_ms",
   "share"
  ],
  "properties": {
   "fingerprint": {
    "type": "string"
   },
   "cause": {
    "type": "string"
   },
   "function": {
    "type": [
     "string",
     "null"
    ]
   },
   "file": {
    "type": [
     "string",
     "null"
    ]
   },
   "line": {
    "type": [
     "integer",
     "null"
    ],
    "minimum": 1
   },
   "module": {
    "type": [
     "string",
     "null"
    ]
   },
   "call": {
    "type": [
     "string",
     "null"
    ]
   },
   "object": {
    "type": [
     "string",
     "null"
    ]
   },
   "more_objects": {
    "type": "boolean"
   },
   "count": {
    "type": "integer",
    "minimum": 0
   },
   "unfinished": {
    "type": "integer",
    "minimum": 0
   },
   "total_ms": {
    "type": "number",
    "minimum": 0
   },
   "longest_ms": {
    "type": "number",
    "minimum": 0
   },
   "share": {
    "type": "number",
    "minimum": 0,
    "maximum": 1
   }
  }
 },
 "loop_summary": {
  "type": "object",
  "required": [
   "process",
   "thread",
   "pid",
   "tid",
   "loop",
   "loops",
   "iterations",
   "busy_share",
   "p50_ms",
   "p90_ms",
   "p99_ms",
   "p999_ms",
   "longest_ms"
  ],
  "properties": {
   "process": {
    "type": "string"
   },
   "thread": {
    "type": "string"
   },
   "pid": {
    "type": [
     "integer",
     "null"
    ]
   },
   "tid": {
    "type": [
     "integer",
     "null"
    ]
   },
   "loop": {
    "$ref": "#/definitions/loop"
   },
   "loops": {
    "type": "integer",
    "minimum": 1
   },
   "iterations": {
    "type": "integer",
    "minimum": 0
   },
   "busy_share": {
    "type": "number",
    "minimum": 0
   },
   "p50_ms": {
    "type": "number",
    "minimum": 0
   },
   "p90_ms": {
    "type": "number",
    "minimum": 0
   },
   "p99_ms": {
    "type": "number",
    "minimum": 0
   },
   "p999_ms": {
    "type": "number",
    "minimum": 0
   },
   "longest_ms": {
    "type": "number",
    "minimum": 0
   }
  }
 },
 "listed_findings": {
  "type": "array",
  "items": {
   "type": "object",
   "required": [
    "fingerprint",
    "count",
    "text"
   ],
   "properties": {
    "fingerprint": {
     "type": "string"
    },
    "count": {
     "type": "integer",
     "minimum": 0
    },
    "text": {
     "type": "string"
    }
   }
  }
 },
 "summary": {
  "type": "object",
  "required": [
   "schema",
   "type",
   "runs",
   "runs_without_end",
   "duration_ms",
   "stalls",
   "stalled_ms",
   "suppressed",
   "suppressed_ms",
   "culprits",
   "other_culprits",
   "longest_pause_ms",
   "losses",
   "loops",
   "blocking_calls",
   "deadlocks",
   "lock_orders",
   "races",
   "never_awaited",
   "contention",
   "assessments"
  ],
  "properties": {
   "schema": {
    "const": 2
   },
   "type": {
    "const": "summary"
   },
   "contention": {
    "type": "array",
    "items": {
     "$ref": "#/definitions/record-contention"
    }
   },
   "assessments": {
    "type": "array",
    "items": {
     "type": "object"
    }
   },
   "lock_orders": {
    "$ref": "#/definitions/listed_findings"
   },
   "races": {
    "$ref": "#/definitions/listed_findings"
   },
   "never_awaited": {
    "$ref": "#/definitions/listed_findings"
   },
   "runs": {
    "type": "integer",
    "minimum": 0
   },
   "runs_without_end": {
    "type": "integer",
    "minimum": 0
   },
   "duration_ms": {
    "type": "number",
    "minimum": 0
   },
   "stalls": {
    "type": "integer",
    "minimum": 0
   },
   "stalled_ms": {
    "type": "number",
    "minimum": 0
   },
   "suppressed": {
    "type": "integer",
    "minimum": 0
   },
   "suppressed_ms": {
    "type": "number",
    "minimum": 0
   },
   "culprits": {
    "type": "array",
    "items": {
     "$ref": "#/definitions/culprit_summary"
    }
   },
   "other_culprits": {
    "type": "object",
    "required": [
     "count",
     "total_ms",
     "longest_ms"
    ],
    "properties": {
     "count": {
      "type": "integer",
      "minimum": 0
     },
     "total_ms": {
      "type": "number",
      "minimum": 0
     },
     "longest_ms": {
      "type": "number",
      "minimum": 0
     }
    }
   },
   "longest_pause_ms": {
    "type": "number",
    "minimum": 0
   },
   "losses": {
    "$ref": "#/definitions/losses"
   },
   "loops": {
    "type": "array",
    "items": {
     "$ref": "#/definitions/loop_summary"
    }
   },
   "blocking_calls": {
    "type": "array",
    "items": {
     "$ref": "#/definitions/blocking_call_summary"
    }
   },
   "deadlocks": {
    "type": "array",
    "items": {
     "type": "object",
     "required": [
      "fingerprint",
      "kind",
      "count",
      "text"
     ],
     "properties": {
      "fingerprint": {
       "type": "string"
      },
      "kind": {
       "enum": [
        "cycle",
        "self",
        "lost-owner"
       ]
      },
      "count": {
       "type": "integer",
       "minimum": 0
      },
      "text": {
       "type": "string"
      }
     }
    }
   }
  }
 }
})json";

}  // namespace tailback

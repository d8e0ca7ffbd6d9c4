/* worker_handover.pml - a worker that tells the keeper before it answers, dies anywhere, and is
 * followed by one that rebuilds; clients that come back and repeat what was not answered, or die.
 *
 * Models    src/daemon/worker/registry/node_state.cc and rebuild.cc, src/daemon/keeper/keeper.cc
 *           (the store and what is still on the way), src/daemon/recovery/session_end.cc,
 *           src/client/connection.cc (coming back). One pipe; the client's script is: hello, then
 *           OPENINGS times (open, push once, open again, leave), then it ends; it may also die at any step.
 *           Why it is so: docs/design/0005-keeper-and-worker.md.
 * Sizes     CLIENTS (1 or 2), OPENINGS, CRASHES (of clients), WORKER_CRASHES.
 * Checked   remembered: what was answered is known to every later worker. once: an opening's number
 *           is never given twice; what a session pushed is in the pipe's totals once, after its
 *           end. No deadlock: a repeated request is answered in the end. No cycle (progress).
 * Unnamed   idle_again
 *
 * run alone: -DCLIENTS=1 -DOPENINGS=2 -DWORKER_CRASHES=2
 * run two: -DCRASHES=0 -DWORKER_CRASHES=1
 * run ends (progress): -DCLIENTS=1 -DOPENINGS=1
 * soak alone_thrice: -DCLIENTS=1 -DOPENINGS=3 -DWORKER_CRASHES=3
 * soak two_deaths: -DCRASHES=1 -DWORKER_CRASHES=2
 * soak two_openings: -DOPENINGS=2 -DWORKER_CRASHES=1
 * mutant ANSWER_FIRST: -DCLIENTS=1 -DCRASHES=0
 * mutant NOT_DRAINED: -DCLIENTS=1 -DCRASHES=0
 * mutant NUMBER_NOT_STORED: -DCLIENTS=1 -DOPENINGS=2 -DCRASHES=0
 * mutant TOTALS_NAME_NOTHING: -DCLIENTS=1 -DCRASHES=0
 * mutant SESSION_DROPPED_FIRST: -DCLIENTS=1
 * mutant NO_REPEAT: -DCLIENTS=1 -DCRASHES=0
 */
#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef OPENINGS
#define OPENINGS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef WORKER_CRASHES
#define WORKER_CRASHES 1
#endif
#define MEMBER 0
#define WORKER 1
#define MOST_DEATHS(kind) (kind == MEMBER -> CRASHES : WORKER_CRASHES)
#define may_die(kind) \
  if :: deaths[kind] < MOST_DEATHS(kind) -> deaths[kind]++; goto died :: true fi

#define NONE 0
#define HELLO 1
#define RESUME 2
#define OPEN 3
#define LEAVE 4
#define DONE 5

/* Worker to keeper: what a record becomes. */
#define COUNTERS 1
#define SESSION 2
#define OPENING 3
#define TOTALS 4
chan channel = [3] of { byte, byte, byte };

/* The keeper's store. */
byte stored_counter = 0;
bit stored_session[3];
byte stored_opening[3];
byte stored_total = 0;
byte stored_retired = 0;

/* Sockets: a request is lost with the worker that did not read it; an answer can still be read. */
byte request[3];
byte answer[3];
byte answered_number[3];
bit connected[3];
bit worker_dead = 0;

/* The clients' own segments: what they pushed in the present opening. */
byte end_pushed[3];

/* What only the model knows. */
byte deaths[2];
byte pushed[3];
bit given[16];            /* numbers of openings that a client was told */
byte told_opening[3];     /* that the client was told, and has not asked to end */
bit told_welcome[3];
bit gone[3];              /* dead, as its pidfd says */
bit buried[3];

/* --- Clients ---------------------------------------------------------------------------------- */

/* Connection::ask_bytes() and come_back(): asks until it is answered. */
inline ask(what) {
  repeat = what;
  do
  :: atomic {
       answer[self] == repeat && repeat != NONE -> answer[self] = NONE; repeat = NONE; break
     }
  :: atomic {
       !connected[self] && answer[self] == NONE && !worker_dead ->
       may_die(MEMBER);
       connected[self] = 1;
       joined = 0;
       request[self] = (told_welcome[self] -> RESUME : HELLO)
     }
  :: atomic {
       answer[self] == RESUME ->
       answer[self] = NONE;
       joined = 1;
#ifndef MUTANT_NO_REPEAT
       if :: connected[self] -> request[self] = repeat; fresh = 0 :: else fi
#endif
     }
  :: atomic {
       joined && connected[self] && answer[self] == NONE && fresh ->
       may_die(MEMBER);
       request[self] = repeat;
       fresh = 0
     }
  od
}

proctype client(byte self) {
  byte repeat = NONE;
  bit fresh = 0;  /* not sent yet */
  bit joined = 0; /* welcome, or resumed */
  byte rounds = 0;
say_hello:
  ask(HELLO);
  atomic { told_welcome[self] = 1; joined = 1 };
  do
  :: rounds == OPENINGS -> break
  :: else ->
    fresh = 1;
ask_open:
    ask(OPEN);
    atomic {
      fresh = 0;
      told_opening[self] = answered_number[self];
      assert(!given[answered_number[self]]); /* once */
      given[answered_number[self]] = 1;
      end_pushed[self] = 0
    };
    atomic { may_die(MEMBER); end_pushed[self]++; pushed[self]++ };
    fresh = 1;
ask_again: /* opens it once more: it is open */
    ask(OPEN);
    atomic {
      fresh = 1;
      assert(answered_number[self] == told_opening[self]); /* remembered */
      told_opening[self] = 0
    };
ask_leave:
    ask(LEAVE);
    atomic { fresh = 0; may_die(MEMBER); end_pushed[self] = 0 }; /* remove_end() */
    rounds++
  od;
died:
  atomic { gone[self] = 1; connected[self] = 0; repeat = NONE; fresh = 0; rounds = 0 }
}

/* --- The keeper ------------------------------------------------------------------------------- */

inline apply() {
  if
  :: kind == COUNTERS -> stored_counter = key
  :: kind == SESSION -> stored_session[key] = number
  :: kind == OPENING -> stored_opening[key] = number
  :: kind == TOTALS -> stored_total = key; stored_retired = number
  fi;
  kind = 0; key = 0; number = 0
}

proctype keeper() {
  byte kind = 0;
  byte key = 0;
  byte number = 0;
end_serve:
  do
  :: atomic { channel ? kind, key, number -> apply() }
  :: atomic {
       worker_dead ->
#ifdef MUTANT_NOT_DRAINED
       do
       :: nempty(channel) -> channel ? kind, key, number; kind = 0; key = 0; number = 0
#else
       do
       :: nempty(channel) -> channel ? kind, key, number; apply()
#endif
       :: empty(channel) -> break
       od;
       worker_dead = 0 /* start_worker() */
     }
  od
}

/* --- The worker ------------------------------------------------------------------------------- */

/* Crash: [1] commits; it names the opening that it counts. */
inline leave_pipe(c) {
  if
  :: opening[c] != 0 ->
    atomic { may_die(WORKER); total = total + end_pushed[c]; retired = opening[c] };
#ifdef MUTANT_TOTALS_NAME_NOTHING
    atomic { channel ! TOTALS, total, 0 };
#else
    atomic { channel ! TOTALS, total, retired };
#endif
leave_counted:
    atomic { may_die(WORKER); channel ! OPENING, c, 0; opening[c] = 0 }
  :: else
  fi
}

#define REPLY(c, what) if :: connected[c] -> answer[c] = what :: else fi

proctype worker() {
  byte counter;
  bit session[3];
  byte opening[3];
  byte total;
  byte retired;
  byte who = 0;
  byte what = NONE;
  bit ending = 0;
rebuild: /* a fork of the keeper: it finds the store in its memory */
  atomic {
    !worker_dead;
    counter = stored_counter;
    session[1] = stored_session[1]; session[2] = stored_session[2];
    opening[1] = stored_opening[1]; opening[2] = stored_opening[2];
    total = stored_total;
    retired = stored_retired;
    who = 1
  };
rebuild_opening: /* take_opening() */
  atomic {
    if
    :: opening[who] != 0 && (!session[who] || opening[who] == retired) ->
      may_die(WORKER);
      counter = (opening[who] > counter -> opening[who] : counter);
      channel ! OPENING, who, 0;
      opening[who] = 0
    :: else
    fi;
    who++;
    if
    :: who <= CLIENTS -> goto rebuild_opening
    :: else -> who = 0
    fi
  };
end_idle:
  atomic {
    if
    :: request[1] != NONE -> who = 1; what = request[1]; request[1] = NONE
    :: request[2] != NONE -> who = 2; what = request[2]; request[2] = NONE
    :: gone[1] && session[1] -> who = 1; what = NONE; ending = 1
    :: gone[2] && session[2] -> who = 2; what = NONE; ending = 1
    :: gone[1] && !session[1] && !buried[1] -> buried[1] = 1
    :: gone[2] && !session[2] && !buried[2] -> buried[2] = 1
    fi;
    /* remembered */
    assert(who == 0 || gone[who] || !told_welcome[who] || session[who]);
    assert(who == 0 || gone[who] || told_opening[who] == 0 || opening[who] == told_opening[who])
  };
  if
  :: what == HELLO -> goto begin_session
  :: what == RESUME -> goto resume_session
  :: what == OPEN -> goto open_pipe
  :: what == LEAVE -> goto leave_asked
  :: ending -> goto session_end
  :: else -> goto idle_again
  fi;
begin_session: /* the same segment again is the same session */
  atomic {
    may_die(WORKER);
    if
    :: session[who] || gone[who] -> goto session_stored
    :: else -> session[who] = 1
    fi
  };
  atomic { channel ! SESSION, who, 1 };
session_stored:
  atomic { may_die(WORKER); REPLY(who, HELLO); goto idle_again };
resume_session:
  atomic { may_die(WORKER); REPLY(who, RESUME); goto idle_again };
open_pipe:
  atomic {
    may_die(WORKER);
    if
    :: opening[who] != 0 -> goto opening_stored
    :: else -> counter++
    fi
  };
#ifndef MUTANT_NUMBER_NOT_STORED
  atomic { channel ! COUNTERS, counter, 0 };
#endif
open_numbered:
  atomic { may_die(WORKER); opening[who] = counter };
#ifdef MUTANT_ANSWER_FIRST
  atomic { answered_number[who] = opening[who]; REPLY(who, OPEN) };
  atomic { may_die(WORKER); channel ! OPENING, who, opening[who]; goto idle_again };
#else
  atomic { channel ! OPENING, who, opening[who] };
#endif
opening_stored:
  atomic {
    may_die(WORKER);
    if
    :: connected[who] ->
      answered_number[who] = opening[who];
      answer[who] = OPEN
    :: else
    fi;
    goto idle_again
  };
leave_asked:
#ifdef MUTANT_SESSION_DROPPED_FIRST
session_end:
  if
  :: ending -> atomic { channel ! SESSION, who, 0; session[who] = 0 }
  :: else
  fi;
  atomic { may_die(WORKER) };
#else
session_end:
#endif
  leave_pipe(who);
left_pipe:
  atomic {
    may_die(WORKER);
    if
    :: ending -> channel ! SESSION, who, 0; session[who] = 0; buried[who] = 1
    :: else -> REPLY(who, LEAVE)
    fi
  };
idle_again:
  atomic { who = 0; what = NONE; ending = 0; goto end_idle };
died: /* what was on the way to it is lost */
  atomic {
    worker_dead = 1;
    connected[1] = 0; connected[2] = 0;
    request[1] = NONE; request[2] = NONE;
    counter = 0; session[1] = 0; session[2] = 0; opening[1] = 0; opening[2] = 0;
    total = 0; retired = 0; who = 0; what = NONE; ending = 0;
    goto rebuild
  }
}

/* When all have ended and the keeper has taken everything. */
proctype auditor() {
  atomic {
    buried[1] && (CLIENTS == 1 || buried[2]) && empty(channel) && !worker_dead;
    assert(!stored_session[1] && !stored_session[2]);
    assert(!stored_opening[1] && !stored_opening[2]);
    assert(stored_total == pushed[1] + pushed[2]) /* once */
  }
}

init {
  atomic {
    run keeper();
    run worker();
    run client(1);
    if :: CLIENTS == 2 -> run client(2) :: else fi;
    run auditor()
  }
}

/* bells.pml - sleeping until there is something to take, and waking without a call when nobody
 * sleeps; sleepers, ringers and recovery may be killed at every step.
 *
 * Models    src/shm/pipe/bell.h, as src/client/pipe_core.cc and src/client/readiness.cc use it.
 *           `items` stands for the pipe's slots: publishing and taking are one step each
 *           (pipe_slots.pml has the steps). Why it is so: docs/design/0004-bells.md.
 * Sizes     SLEEPERS, RINGERS, EACH (messages a ringer), WATCHERS (0 or 1: the thread that makes
 *           descriptors readable, takes nothing and passes the ring on), CRASHES,
 *           RECOVERY_CRASHES.
 * Checked   no deadlock: nobody sleeps for ever while there is something to take. The deadline
 *           after which everybody looks again is left out: without it a lost wake-up shows.
 *           No cycle: announcing, ringing and recovery end (run with progress).
 * Unnamed   rung
 * A killed process comes back once recovery has ended.
 *
 * run plain: -DCRASHES=1
 * run watcher: -DWATCHERS=1 -DRINGERS=1 -DEACH=2
 * run ends (progress): -DSLEEPERS=2 -DRECOVERY_CRASHES=0
 * soak twice: -DCRASHES=2
 * soak crowd: -DSLEEPERS=3 -DCRASHES=2
 * soak busy: -DEACH=2 -DCRASHES=3 -DRECOVERY_CRASHES=2
 * soak watched: -DWATCHERS=1 -DCRASHES=2
 * mutant NO_CHANGE_BEFORE_WAKE: -DSLEEPERS=1
 * mutant SAME_WORD_AGAIN: -DCRASHES=0
 * mutant NO_SECOND_LOOK: -DCRASHES=0
 * mutant CLEAR_BY_STORE: -DCRASHES=0
 * mutant NO_RING_AFTER_DEATH: -DSLEEPERS=2
 * mutant LOOK_BEFORE_PUBLISHING: -DCRASHES=0
 * mutant WATCHER_KEEPS_THE_RING: -DWATCHERS=1 -DRINGERS=1 -DSLEEPERS=1
 */
#ifndef SLEEPERS
#define SLEEPERS 2
#endif
#ifndef RINGERS
#define RINGERS 2
#endif
#ifndef EACH
#define EACH 1
#endif
#ifndef WATCHERS
#define WATCHERS 0
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef RECOVERY_CRASHES
#define RECOVERY_CRASHES 1
#endif
#define ITEMS (RINGERS * EACH)
#define MEMBERS (SLEEPERS + RINGERS + WATCHERS)
#define MEMBER 0
#define RECOVERY 1
#define MOST_DEATHS(kind) (kind == MEMBER -> CRASHES : RECOVERY_CRASHES)
#define RECOVERER (MEMBERS + 1)
#define ANY(flags) (flags[1] || flags[2] || flags[MEMBERS - 1] || flags[MEMBERS])

/* The word: its bit 0, and for each process whether the word is still what that process last read
 * or wrote. That is all that comparing can tell, because the word never returns to a value with
 * the bit set (but for the wrap of 31 bits). */
bit sleepers_bit = 0;
bit same[MEMBERS + 2];
byte items = 0;
byte taken = 0;
byte published[MEMBERS + 1];
bit asleep[MEMBERS + 1];  /* in the kernel's queue for the bell */
bit gone[MEMBERS + 1];    /* dead, as the kernel says; recovery is due */
byte deaths[2];

inline read_bell(i) { same[i] = 1 }
/* Process i writes a value that was not there before. */
inline change_bell(i) {
  same[1] = 0; same[2] = 0; same[MEMBERS - 1] = 0; same[MEMBERS] = 0;
  if :: MEMBERS > 4 -> same[3] = 0 :: else fi;
  same[i] = 1
}

/* Death at this step. */
#define may_die(kind) \
  if :: deaths[kind] < MOST_DEATHS(kind) -> deaths[kind]++; goto died :: true fi

proctype sleeper(byte self) {
look:
  atomic {
    may_die(MEMBER);
    if
    :: items > 0 -> items--; taken++; goto look
    :: items == 0 && taken == ITEMS -> goto over
    :: else
    fi
  };
announce:
  atomic { may_die(MEMBER); read_bell(self) };
  atomic {
    may_die(MEMBER);
    if
    :: !same[self] -> goto announce
    :: else
    fi;
#ifdef MUTANT_SAME_WORD_AGAIN
    if :: !sleepers_bit -> change_bell(self) :: else fi;
#else
    change_bell(self);
#endif
    sleepers_bit = 1
  };
#ifndef MUTANT_NO_SECOND_LOOK
  atomic {
    may_die(MEMBER);
    if
    :: items > 0 -> items--; taken++; same[self] = 0; goto look
    :: else
    fi
  };
#endif
sleep_on:
  atomic {
    may_die(MEMBER);
    if
    :: !same[self] -> goto progress_disturbed
    :: else -> asleep[self] = 1; same[self] = 0
    fi
  };
  /* The kernel takes a killed sleeper from its queue. */
  atomic {
    if
    :: !asleep[self] -> goto look
    :: taken == ITEMS -> asleep[self] = 0; goto over
    :: asleep[self] && deaths[MEMBER] < CRASHES -> asleep[self] = 0; deaths[MEMBER]++; goto died
    fi
  };
  /* Two that announce at once make each other look again. */
progress_disturbed:
  atomic { goto look };
died:
  atomic { gone[self] = 1; same[self] = 0 };
  atomic { !gone[self]; goto look };
over:
  skip
}

/* Wakes one of those in the kernel's queue, whichever; none: goes on. */
inline wake_one_or() {
  if
  :: asleep[1] -> asleep[1] = 0; goto rung
  :: asleep[2] -> asleep[2] = 0; goto rung
  :: MEMBERS > 2 && asleep[MEMBERS - 1] -> asleep[MEMBERS - 1] = 0; goto rung
  :: MEMBERS > 2 && asleep[MEMBERS] -> asleep[MEMBERS] = 0; goto rung
  :: MEMBERS > 4 && asleep[3] -> asleep[3] = 0; goto rung
  :: else
  fi
}

/* ring() and ring_sleepers(). Ends at the label `rung`. */
inline ring() {
  atomic {
    may_die(MEMBER);
    if
    :: !sleepers_bit -> goto rung
    :: else
    fi
  };
  atomic {
    may_die(MEMBER);
#ifdef MUTANT_NO_CHANGE_BEFORE_WAKE
    read_bell(self)
#else
    change_bell(self)
#endif
  };
  atomic { may_die(MEMBER); wake_one_or() };
  atomic {
    may_die(MEMBER);
    if
#ifdef MUTANT_CLEAR_BY_STORE
    :: true -> sleepers_bit = 0; change_bell(self)
#else
    :: same[self] -> sleepers_bit = 0; change_bell(self)
    :: else
#endif
    fi
  }
}

proctype ringer(byte self) {
  bit saw_bit = 0;
publish:
  atomic {
    may_die(MEMBER);
    if
    :: published[self] == EACH -> goto over
    :: else
    fi;
#ifdef MUTANT_LOOK_BEFORE_PUBLISHING
    saw_bit = sleepers_bit
  };
  atomic {
    may_die(MEMBER);
#endif
    items++;
    published[self]++
  };
#ifdef MUTANT_LOOK_BEFORE_PUBLISHING
  if
  :: !saw_bit -> goto rung
  :: else
  fi;
#endif
ring_changed:
  ring();
rung:
  atomic { same[self] = 0; saw_bit = 0; goto publish };
died:
  atomic { gone[self] = 1; same[self] = 0; saw_bit = 0 };
  atomic { !gone[self]; goto publish };
over:
  skip
}

#if WATCHERS > 0
/* Readiness::run() and arm(): raises a descriptor, for whose reader the model's caller stands. Here
 * it goes on watching: an application that reads its descriptor and then takes nothing. */
proctype watcher(byte self) {
watch_announce:
  atomic { may_die(MEMBER); read_bell(self) };
  atomic {
    may_die(MEMBER);
    if
    :: !same[self] -> goto watch_announce
    :: else
    fi;
    change_bell(self);
    sleepers_bit = 1
  };
  atomic {
    may_die(MEMBER);
    if
    :: items > 0 -> same[self] = 0; goto watch_raised
    :: else
    fi
  };
  atomic {
    may_die(MEMBER);
    if
    :: !same[self] -> goto progress_disturbed
    :: else -> asleep[self] = 1; same[self] = 0
    fi
  };
  atomic {
    if
    :: !asleep[self] -> goto watch_announce
    :: taken == ITEMS -> asleep[self] = 0; goto over
    :: asleep[self] && deaths[MEMBER] < CRASHES -> asleep[self] = 0; deaths[MEMBER]++; goto died
    fi
  };
watch_raised:
#ifndef MUTANT_WATCHER_KEEPS_THE_RING
  ring();
#endif
rung:
  /* Raised: it does not watch this bell again until somebody found the pipe empty. */
  atomic { same[self] = 0; items == 0; if :: taken == ITEMS -> goto over :: else -> goto watch_announce fi };
progress_disturbed:
  atomic { goto watch_announce };
died:
  atomic { gone[self] = 1; same[self] = 0 };
  atomic { !gone[self]; goto watch_announce };
over:
  skip
}

#endif

/* recover() ends with ring_all(), of both bells; here there is one. */
proctype recoverer() {
  byte who = 0;
end_idle:
  atomic {
    if
    :: gone[1] -> who = 1
    :: gone[2] -> who = 2
    :: gone[MEMBERS - 1] -> who = MEMBERS - 1
    :: gone[MEMBERS] -> who = MEMBERS
    :: MEMBERS > 4 && gone[3] -> who = 3
    fi
  };
#ifndef MUTANT_NO_RING_AFTER_DEATH
  atomic { may_die(RECOVERY); change_bell(RECOVERER) };
ring_all_changed:
  atomic {
    may_die(RECOVERY);
    asleep[1] = 0; asleep[2] = 0; asleep[MEMBERS - 1] = 0; asleep[MEMBERS] = 0;
    if :: MEMBERS > 4 -> asleep[3] = 0 :: else fi
  };
#endif
  atomic { gone[who] = 0; who = 0; goto end_idle };
died:
  atomic { who = 0; goto end_idle }
}

init {
  byte i = 1;
  atomic {
    do
    :: i <= SLEEPERS -> run sleeper(i); i++
    :: i > SLEEPERS && i <= SLEEPERS + RINGERS -> run ringer(i); i++
#if WATCHERS > 0
    :: i > SLEEPERS + RINGERS && i <= MEMBERS -> run watcher(i); i++
#endif
    :: i > MEMBERS -> break
    od;
    run recoverer()
  }
}

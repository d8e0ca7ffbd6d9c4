/* hold_rows.pml - when may an owner use its chunk again? Consumers that pop it, hold it, pass it on
 * and let go; an owner that looks; a node that admits viewers, buries the dead and looks after
 * orphans. Each of them may be killed at every step.
 *
 * Models    src/shm/heap/heap.cc and hold_scan.cc (the owner's look), src/client/pipe_core.cc (pop
 *           by reference, passing on), src/daemon/worker/registry/node_state.cc (viewers, carriers,
 *           epochs), src/daemon/recovery/orphans.cc. One chunk; pipe A is the owner's own push, and
 *           the slab may have been made for it alone; pipe B is where consumers pass it on. A slot holds the round in which the chunk was
 *           loaned; pushing and taking are one step each (pipe_slots.pml has the steps).
 *           Why it is so: docs/design/0003-hold-rows.md.
 * Sizes     CONSUMERS, ROUNDS (loans of the chunk), FORWARDS (times it is passed on), LOOKS (looks
 *           at any moment; later ones wait until there is a chance), CRASHES (of consumers),
 *           NODE_CRASHES (within a request); OWNER_DIES.
 * Checked   reuse: when the chunk is loaned again, or its slab dropped, nobody holds it and no slot
 *           names it. No deadlock: it is reclaimed in the end. No cycle: looks end (progress).
 * Unnamed   next, look_again
 * A killed consumer comes back as a new session, with rows of its own.
 *
 * run rows: -DFORWARDS=0 -DCRASHES=0 -DROUNDS=2 (unreached pass_on, carry, carrier_stored, pass_carried, pass_published, viewing_dropped)
 * run passing_on: -DCRASHES=0 (unreached viewing_dropped)
 * run death: -DCONSUMERS=1 -DROUNDS=2 -DNODE_CRASHES=1
 * run orphan: -DOWNER_DIES -DCRASHES=0 (unreached viewing_dropped)
 * run orphan_death: -DOWNER_DIES -DCONSUMERS=1
 * run ends (progress): -DCONSUMERS=1
 * soak rows_deaths: -DFORWARDS=0 -DROUNDS=2 -DNODE_CRASHES=1 (unreached pass_on, carry, carrier_stored, pass_carried, pass_published)
 * soak passing_on_deaths: -DLOOKS=0
 * mutant CHECK_ROWS_BEFORE_SLOTS: -DCRASHES=0 -DFORWARDS=2
 * mutant FORWARDS_NOT_COMPARED: -DCRASHES=0 -DFORWARDS=2
 * mutant BUMP_AFTER_THE_HOLD: -DCRASHES=0 -DFORWARDS=2
 * mutant COUNT_AFTER_TAKING: -DCRASHES=0
 * mutant EPOCH_NOT_COMPARED: -DCRASHES=0
 * mutant DESCRIPTOR_BEFORE_EPOCH: -DCRASHES=0 -DFORWARDS=0 -DROUNDS=2
 * mutant CARRIED_WITHOUT_EPOCH: -DCRASHES=0
 * mutant DEAD_VIEWER_STAYS: -DCONSUMERS=1
 * mutant ORPHAN_FORWARDS_NOT_COMPARED: -DOWNER_DIES -DCRASHES=0
 * mutant ORPHAN_NOT_LOOKED_FOR_WHERE_CARRIED: -DOWNER_DIES -DCRASHES=0
 */
#ifndef CONSUMERS
#define CONSUMERS 2
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef FORWARDS
#define FORWARDS 1
#endif
#ifndef LOOKS
#define LOOKS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef NODE_CRASHES
#define NODE_CRASHES 0
#endif
/* Sessions are never given the same number twice here. */
#define SESSIONS (CONSUMERS + CRASHES)
#if SESSIONS > 4
#error "the owner's look is written out for four sessions"
#endif

#define MEMBER 0
#define NODE 1
#define MOST_DEATHS(kind) (kind == MEMBER -> CRASHES : NODE_CRASHES)
#define may_die(kind) \
  if :: deaths[kind] < MOST_DEATHS(kind) -> deaths[kind]++; goto died :: true fi

/* Slots, and what the sessions write into their own segments. */
byte slot_a = 0;
byte slot_b = 0;
byte row[5];
bit has_row[5];
byte row_changes[5];
byte forwards[5];
/* The node's table, and what the worker knows. */
byte epoch = 0;
bit viewer[5];
bit carrier = 0;
bit node_busy = 0; /* the worker's one thread is at a request, or buries somebody */
bit orphan = 0;

/* What only the model knows. */
byte deaths[2];
byte sessions = 0;
byte passed_on = 0;
bit dead[5];      /* a session whose end is due */
bit using[5];     /* reads the chunk */
bit over = 0;     /* reclaimed for the last time */

#define UNUSED \
  (slot_a == 0 && slot_b == 0 && !using[1] && !using[2] && !using[3] && !using[4] && \
   row[1] == 0 && row[2] == 0 && row[3] == 0 && row[4] == 0)
#define IS_NEEDED (slot_a != 0 || slot_b != 0 || using[1] || using[2] || using[3] || using[4])

/* --- Consumers -------------------------------------------------------------------------------- */

proctype consumer() {
  byte self = 0;
  byte round = 0;
  bit from_b = 0;
  bit knows_slab = 0;
  bit told_carrier = 0;
  atomic { sessions++; self = sessions };
pop_begin:
  atomic {
    may_die(MEMBER);
    if
    :: slot_a != 0 -> round = slot_a; from_b = 0
    :: slot_b != 0 -> round = slot_b; from_b = 1
    :: over -> goto ended
    fi
  };
  if
  :: knows_slab -> goto pop_count
  :: else
  fi;
meet_slab: /* segment_get: the worker's steps */
  atomic {
    !node_busy;
    may_die(MEMBER);
    node_busy = 1;
#ifdef MUTANT_DESCRIPTOR_BEFORE_EPOCH
    if
    :: viewer[self] -> node_busy = 0; knows_slab = 1; goto meet_row
    :: else -> viewer[self] = 1; node_busy = 0; knows_slab = 1; goto meet_row
    fi
#else
    if
    :: viewer[self] -> goto viewer_bumped
    :: else -> viewer[self] = 1
    fi
#endif
  };
viewer_stored:
  atomic {
    epoch++; /* by this worker, or by the next one, of every session */
    if
    :: deaths[NODE] < NODE_CRASHES -> deaths[NODE]++; node_busy = 0; goto meet_slab
    :: true
    fi
  };
viewer_bumped:
  atomic { node_busy = 0; knows_slab = 1 };
meet_row: /* add_row() */
  atomic { may_die(MEMBER); has_row[self] = 1 };
row_named:
  atomic { may_die(MEMBER); row_changes[self]++ };
#ifdef MUTANT_DESCRIPTOR_BEFORE_EPOCH
  if
  :: goto pop_count
  :: goto pop_begin
  fi;
#endif
pop_count:
#ifndef MUTANT_COUNT_AFTER_TAKING
  atomic { may_die(MEMBER); row[self]++ };
#endif
pop_counted:
  atomic {
    may_die(MEMBER);
    if
    :: !from_b && slot_a == round -> slot_a = 0; using[self] = 1; goto pop_taken
    :: from_b && slot_b == round -> slot_b = 0; using[self] = 1; goto pop_taken
    :: else
    fi
  };
#ifndef MUTANT_COUNT_AFTER_TAKING
  atomic { may_die(MEMBER); row[self]--; round = 0; from_b = 0; goto pop_begin };
#else
  atomic { round = 0; from_b = 0; goto pop_begin };
#endif
pop_taken:
#ifdef MUTANT_COUNT_AFTER_TAKING
  atomic { may_die(MEMBER); row[self]++ };
#endif
  if
  :: goto release
  :: passed_on < FORWARDS -> goto pass_on
  fi;
pass_on: /* push_message() */
  atomic {
    may_die(MEMBER);
    passed_on++;
    if
    :: told_carrier -> goto pass_carried
    :: else
    fi
  };
carry: /* segment_carry: the worker's steps */
  atomic {
    !node_busy;
    may_die(MEMBER);
    if
    :: carrier || orphan -> told_carrier = 1; goto pass_carried
    :: else -> node_busy = 1; carrier = 1
    fi
  };
carrier_stored:
  atomic {
#ifndef MUTANT_CARRIED_WITHOUT_EPOCH
    epoch++;
#endif
    node_busy = 0;
    if
    :: deaths[NODE] < NODE_CRASHES -> deaths[NODE]++; goto carry
    :: true -> told_carrier = 1
    fi
  };
pass_carried:
  atomic { slot_b == 0; may_die(MEMBER); slot_b = round };
pass_published:
#ifndef MUTANT_BUMP_AFTER_THE_HOLD
  atomic { may_die(MEMBER); forwards[self]++ };
#endif
pass_bumped:
  atomic { may_die(MEMBER); using[self] = 0; row[self]-- };
#ifdef MUTANT_BUMP_AFTER_THE_HOLD
  atomic { may_die(MEMBER); forwards[self]++ };
#endif
  goto next;
release:
  atomic { may_die(MEMBER); using[self] = 0; row[self]-- };
next:
  atomic { round = 0; from_b = 0; goto pop_begin };
died:
  atomic {
    using[self] = 0;
    dead[self] = 1;
    round = 0; from_b = 0; knows_slab = 0; told_carrier = 0;
    sessions++;
    self = sessions;
    goto pop_begin
  };
ended:
  skip
}

/* --- The owner -------------------------------------------------------------------------------- */

#ifdef OWNER_DIES
#define may_die_owner() if :: goto died :: true fi
#else
#define may_die_owner() skip
#endif

/* HoldScan, for one session. */
inline note_forwards(i) {
  atomic { may_die_owner(); if :: known_viewer[i] -> forwards_seen[i] = forwards[i] :: else fi }
}
inline look_at_row(i) {
  atomic {
    may_die_owner();
    if :: known_viewer[i] && has_row[i] && row[i] != 0 -> is_held = 1 :: else fi
  }
}
inline compare_forwards(i) {
  atomic {
    may_die_owner();
    if :: known_viewer[i] && forwards_seen[i] != forwards[i] -> is_moved = 1 :: else fi
  }
}
/* KnownRows: which sessions have a row, kept until one of them adds a row or the list is new. */
inline is_row_fresh(i) {
  atomic {
    may_die_owner();
    if :: known_viewer[i] && known_changes[i] != row_changes[i] -> fresh_rows = 0 :: else fi
  }
}
inline refresh_row(i) {
  atomic { may_die_owner(); if :: known_viewer[i] -> known_changes[i] = row_changes[i] :: else fi };
  atomic { may_die_owner(); if :: known_viewer[i] -> known_row[i] = has_row[i] :: else fi }
}
inline look_at_known_row(i) {
  atomic { may_die_owner(); if :: known_row[i] && row[i] != 0 -> is_held = 1 :: else fi }
}
inline forget_look() {
  is_held = 0; is_moved = 0;
  forwards_seen[1] = 0; forwards_seen[2] = 0; forwards_seen[3] = 0; forwards_seen[4] = 0
}
inline forget_rows() {
  fresh_rows = 0;
  known_changes[1] = 0; known_changes[2] = 0; known_changes[3] = 0; known_changes[4] = 0;
  known_row[1] = 0; known_row[2] = 0; known_row[3] = 0; known_row[4] = 0
}

proctype owner() {
  byte round = 1;
  byte looks = 0;
  byte known_epoch = 255;
  bit known_viewer[5];
  bit known_carrier = 0;
  bit known_row[5];
  byte known_changes[5];
  byte forwards_seen[5];
  bit is_held = 0;
  bit is_moved = 0;
  bit fresh_rows = 0;
loan:
  atomic {
    may_die_owner();
    assert(!IS_NEEDED); /* reuse */
    slot_a = round
  };
look_gone:
  atomic { slot_a != round; may_die_owner() };
look_viewers:
  atomic {
    may_die_owner();
    if
    :: known_epoch == epoch -> goto look
    :: else
    fi
  };
ask_viewers: /* viewers_get: the worker answers between two requests */
  atomic {
    !node_busy;
    may_die_owner();
    known_epoch = epoch;
    known_viewer[1] = viewer[1]; known_viewer[2] = viewer[2];
    known_viewer[3] = viewer[3]; known_viewer[4] = viewer[4];
    known_carrier = carrier;
    forget_rows()
  };
look:
  if
  :: known_carrier -> goto scan_forwards
  :: else
  fi;
/* sort_out_by_rows() */
rows_fresh:
  is_row_fresh(1);
  is_row_fresh(2);
#if SESSIONS > 2
  is_row_fresh(3);
#endif
#if SESSIONS > 3
  is_row_fresh(4);
#endif
  if
  :: fresh_rows -> goto rows_look
  :: else -> fresh_rows = 1
  fi;
rows_refresh:
  refresh_row(1);
  refresh_row(2);
#if SESSIONS > 2
  refresh_row(3);
#endif
#if SESSIONS > 3
  refresh_row(4);
#endif
rows_look:
  look_at_known_row(1);
  look_at_known_row(2);
#if SESSIONS > 2
  look_at_known_row(3);
#endif
#if SESSIONS > 3
  look_at_known_row(4);
#endif
  goto look_epoch;
/* sort_out_by_scan() */
scan_forwards:
  note_forwards(1);
  note_forwards(2);
#if SESSIONS > 2
  note_forwards(3);
#endif
#if SESSIONS > 3
  note_forwards(4);
#endif
#ifndef MUTANT_CHECK_ROWS_BEFORE_SLOTS
scan_slots:
  atomic { may_die_owner(); if :: slot_b != 0 -> is_held = 1 :: else fi };
#endif
scan_rows:
  look_at_row(1);
  look_at_row(2);
#if SESSIONS > 2
  look_at_row(3);
#endif
#if SESSIONS > 3
  look_at_row(4);
#endif
#ifdef MUTANT_CHECK_ROWS_BEFORE_SLOTS
scan_slots:
  atomic { may_die_owner(); if :: slot_b != 0 -> is_held = 1 :: else fi };
#endif
scan_again:
#ifndef MUTANT_FORWARDS_NOT_COMPARED
  compare_forwards(1);
  compare_forwards(2);
#if SESSIONS > 2
  compare_forwards(3);
#endif
#if SESSIONS > 3
  compare_forwards(4);
#endif
#endif
look_epoch:
  atomic {
    may_die_owner();
    if
#ifndef MUTANT_EPOCH_NOT_COMPARED
    :: is_held || is_moved || epoch != known_epoch -> forget_look(); goto look_again
#else
    :: is_held || is_moved -> forget_look(); goto look_again
#endif
    :: else -> forget_look(); looks = 0
    fi;
    assert(!IS_NEEDED); /* reuse */
    if
    :: round < ROUNDS -> round++; goto loan
    :: else -> over = 1; goto ended
    fi
  };
look_again:
  atomic {
    may_die_owner();
    if
    :: looks < LOOKS -> looks++
    :: else -> UNUSED
    fi;
    goto look_viewers
  };
#ifdef OWNER_DIES
died:
  atomic {
    forget_look();
    forget_rows();
    known_viewer[1] = 0; known_viewer[2] = 0; known_viewer[3] = 0; known_viewer[4] = 0;
    known_carrier = 0; known_epoch = 0; round = 0; looks = 0;
    !node_busy;
    orphan = 1;
    carrier = 0 /* for an orphan the node looks into all pipes */
  };
#endif
ended:
  skip
}

/* --- The node --------------------------------------------------------------------------------- */

#define ORPHAN_ROW(i) (viewer[i] && has_row[i] && row[i] != 0)
#define ORPHAN_MOVED(i) (viewer[i] && forwards_seen[i] != forwards[i])

/* end_session(): the dead one's rows go with its being a viewer. Run again from the start after a
 * death of the worker, so that dying here adds nothing but an epoch. */
proctype burying() {
  byte who = 0;
end_idle:
  atomic {
    !node_busy && (dead[1] || dead[2] || dead[3] || dead[4]);
    if
    :: dead[1] -> who = 1
    :: dead[2] -> who = 2
    :: dead[3] -> who = 3
    :: dead[4] -> who = 4
    fi;
    node_busy = 1
  };
#ifndef MUTANT_DEAD_VIEWER_STAYS
viewing_dropped:
  atomic { viewer[who] = 0 };
  atomic { epoch++ };
  /* Nobody looks at them any more; so that UNUSED need not. */
  atomic { row[who] = 0 };
#endif
  atomic { dead[who] = 0; who = 0; node_busy = 0; goto end_idle }
}

#ifdef OWNER_DIES
/* drop_unused_orphans(). The worker does nothing else meanwhile. */
proctype orphanage() {
  byte forwards_seen[5];
  byte i = 1;
  byte looks = 0;
  bit is_held = 0;
end_idle:
  orphan;
orphan_look:
  atomic {
    if
    :: looks < LOOKS -> looks++
    :: else -> UNUSED
    fi;
    !node_busy;
    node_busy = 1;
    i = 1
  };
orphan_forwards:
  atomic { forwards_seen[i] = forwards[i]; i++; if :: i <= SESSIONS -> goto orphan_forwards :: else -> i = 1 fi };
orphan_slot_a:
  atomic { if :: slot_a != 0 -> is_held = 1 :: else fi };
#ifndef MUTANT_ORPHAN_NOT_LOOKED_FOR_WHERE_CARRIED
orphan_slot_b:
  atomic { if :: slot_b != 0 -> is_held = 1 :: else fi };
#endif
orphan_rows:
  atomic {
    if :: ORPHAN_ROW(i) -> is_held = 1 :: else fi;
    i++;
    if :: i <= SESSIONS -> goto orphan_rows :: else -> i = 1 fi
  };
#ifndef MUTANT_ORPHAN_FORWARDS_NOT_COMPARED
orphan_again:
  atomic {
    if :: ORPHAN_MOVED(i) -> is_held = 1 :: else fi;
    i++;
    if :: i <= SESSIONS -> goto orphan_again :: else -> i = 1 fi
  };
#endif
  atomic {
    forwards_seen[1] = 0; forwards_seen[2] = 0; forwards_seen[3] = 0; forwards_seen[4] = 0;
    i = 1;
    node_busy = 0;
    if
    :: is_held -> is_held = 0; goto orphan_look
    :: else
    fi;
    assert(!IS_NEEDED); /* reuse */
    over = 1
  }
}
#endif

init {
  byte i = 0;
  atomic {
    do
    :: i < CONSUMERS -> run consumer(); i++
    :: else -> break
    od;
    run owner();
    run burying();
#ifdef OWNER_DIES
    run orphanage();
#endif
  }
}

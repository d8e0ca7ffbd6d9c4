/* pipe_slots.pml - the slots of a pipe, and participants that may be killed at every step.
 *
 * Models    src/shm/pipe/pipe.cc. Each atomic block is one access to shared memory. A label stands
 *           before the step of the code whose comment names it; scripts/check_models.py compares.
 * Sizes     SLOTS, PRODUCERS, EACH (messages a producer), CONSUMERS, CRASHES (of participants),
 *           RECOVERY_CRASHES, GIVE_BACKS; AT_LEAST_ONCE; CLOSE_EARLY closes at any moment, else
 *           the pipe is closed when all is done.
 * Checked   transition: a slot's word changes only as pipe_layout.h says, whoever changes it.
 *           push_order: positions are claimed in order. torn, twice, lost, overtaken: see take().
 *           closed: once a consumer was told, all was delivered and nothing is published.
 *           No deadlock: nobody waits for ever. No cycle: every operation ends (run with -DNP).
 * Left out  bells: who waits is awake as soon as there is a reason (bells.pml). The bound of the
 *           walks: without it they end, too. Statistics. Weak memory: docs/design/0013.
 * Unnamed   pop_again
 * A killed participant comes back once recovery has ended, with the same index.
 *
 * run laps: -DPRODUCERS=1 -DEACH=3 (unreached push_skipped)
 * run two_producers: -DCRASHES=1 (unreached push_skipped)
 * run closing: -DPRODUCERS=1 -DEACH=2 -DCLOSE_EARLY
 * run two_consumers: -DPRODUCERS=1 -DEACH=1 -DCONSUMERS=2 -DAT_LEAST_ONCE (unreached push_full, push_skipped)
 * run redelivery: -DPRODUCERS=1 -DEACH=3 -DAT_LEAST_ONCE (unreached push_skipped)
 * run redelivery_closing: -DPRODUCERS=1 -DEACH=2 -DAT_LEAST_ONCE -DCLOSE_EARLY
 * run one_slot: -DSLOTS=1 -DPRODUCERS=1 -DEACH=3 (unreached push_skipped)
 * run ends (progress): -DPRODUCERS=1 -DEACH=2 (unreached push_skipped)
 * run redelivery_ends (progress): -DPRODUCERS=1 -DEACH=2 -DAT_LEAST_ONCE (unreached push_skipped)
 * soak laps_twice: -DPRODUCERS=1 -DEACH=3 -DCRASHES=2 (unreached push_skipped)
 * soak two_and_two: -DCONSUMERS=2 (unreached push_skipped)
 * soak two_and_two_closing: -DCONSUMERS=2 -DCLOSE_EARLY
 * soak two_producers_twice: -DCRASHES=2 (unreached push_skipped)
 * soak two_producers_closing: -DCLOSE_EARLY
 * soak two_producers_redelivery: -DAT_LEAST_ONCE (unreached push_skipped)
 * soak three_laps_two_consumers: -DPRODUCERS=1 -DEACH=2 -DCONSUMERS=2 (unreached push_skipped)
 * soak one_slot_two_consumers: -DSLOTS=1 -DPRODUCERS=1 -DEACH=3 -DCONSUMERS=2 (unreached push_skipped)
 * soak two_producers_end (progress): -DRECOVERY_CRASHES=0 (unreached push_skipped)
 * mutant PUBLISH_BEFORE_PAYLOAD: -DCRASHES=0
 * mutant NO_RECOVERY: -DPRODUCERS=1 -DEACH=3
 * mutant UNSIGNED_CLAIM: -DPRODUCERS=1 -DEACH=3
 * mutant NO_LOOK_AT_CLOSED: -DCLOSE_EARLY -DCRASHES=0
 * mutant CLOSED_READ_LAST: -DCLOSE_EARLY -DCRASHES=0
 * mutant SAME_LAP: -DCRASHES=0
 * mutant TAKE_BEFORE_COPY: -DPRODUCERS=1 -DEACH=3 -DCRASHES=0
 * mutant NO_SECOND_LOOK: -DPRODUCERS=1 -DEACH=2 -DCRASHES=0
 * mutant REDELIVER_UNMARKED: -DPRODUCERS=1 -DEACH=1 -DAT_LEAST_ONCE
 * mutant RECOVER_THE_LIVING: -DPRODUCERS=1 -DEACH=1
 * mutant RECOVERY_OUTLIVES_THE_INDEX: -DPRODUCERS=1 -DEACH=2
 */
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef EACH
#define EACH 1
#endif
#ifndef CONSUMERS
#define CONSUMERS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef RECOVERY_CRASHES
#define RECOVERY_CRASHES 1
#endif
#ifndef GIVE_BACKS
#define GIVE_BACKS 1
#endif
#define MEMBERS (PRODUCERS + CONSUMERS)
#define MESSAGES (PRODUCERS * EACH)

#define MEMBER 0
#define RECOVERY 1
#define MOST_DEATHS(kind) (kind == MEMBER -> CRASHES : RECOVERY_CRASHES)

#define FREE 0
#define CLAIMED 1
#define READY 2
#define TAKEN 3
#define WORD(lap, phase, who, again) (((lap) << 6) | ((again) << 5) | ((phase) << 3) | (who))
#define LAP(w) ((w) >> 6)
#define AGAIN(w) (((w) >> 5) & 1)
#define PHASE(w) (((w) >> 3) & 3)
#define WHO(w) ((w) & 7)
#ifdef MUTANT_SAME_LAP
#define NEXT_LAP(w) WORD(LAP(w), FREE, 0, 0)
#else
#define NEXT_LAP(w) WORD(LAP(w) + 1, FREE, 0, 0)
#endif
#define NOWHERE 255
#define INDEX(p) ((p) % SLOTS)
#define AHEAD(w, p) (LAP(w) - (p) / SLOTS)

/* What lies in shared memory. */
short word[SLOTS];
byte payload0[SLOTS];
byte payload1[SLOTS];
byte head = 0;
byte tail = 0;
bit closed = 0;

/* What only the model knows. */
bit gone[MEMBERS + 1]; /* dead, as the kernel says; recovery is due */
byte deaths[2];
byte give_backs = 0;
byte true_tail = 0;           /* positions claimed so far */
byte pushed[PRODUCERS + 1];   /* committed messages of each producer */
bit committed[MESSAGES + 1];
bit delivered[MESSAGES + 1];
bit settled[MESSAGES + 1];    /* nobody may get it any more */
bit told_closed = 0;
byte finished = 0;

#define IN_SLOT(phase) (PHASE(word[0]) == phase || PHASE(word[SLOTS - 1]) == phase)
#if SLOTS > 2
#error "IN_SLOT looks at two slots"
#endif
#define HAS_SPACE (word[INDEX(true_tail)] == WORD(true_tail / SLOTS, FREE, 0, 0))
/* Why a consumer looks again. */
#define HAS_NEWS (IN_SLOT(READY) || (closed && !IN_SLOT(CLAIMED) && !IN_SLOT(TAKEN)))

/* transition: the word of slot `s` becomes `w`. */
inline change(s, w) {
  assert((PHASE(word[s]) == FREE && PHASE(w) == CLAIMED && LAP(w) == LAP(word[s])) ||
         (PHASE(word[s]) == CLAIMED && PHASE(w) == READY && LAP(w) == LAP(word[s])) ||
         (PHASE(word[s]) == TAKEN && PHASE(w) == READY && LAP(w) == LAP(word[s])) ||
         (PHASE(word[s]) == READY && PHASE(w) == TAKEN && LAP(w) == LAP(word[s])) ||
         (PHASE(word[s]) != FREE && w == NEXT_LAP(word[s])));
  word[s] = w
}

/* Death at this step. One that is merely slow takes no step: that needs no words. */
#define may_die(kind) \
  if :: deaths[kind] < MOST_DEATHS(kind) -> deaths[kind]++; goto died :: true fi

inline advance(kind, hint, to) {
  atomic { may_die(kind); seen = hint };
  atomic {
    may_die(kind);
    if
    :: seen < to -> hint = to
    :: else
    fi;
    seen = 0
  }
}

proctype producer(byte self) {
  byte at = 0;
  byte message = 0;
  byte seen = 0;
  short w = 0;
push_begin:
  atomic {
    may_die(MEMBER);
    if
    :: closed || pushed[self] == EACH -> goto over
    :: else -> message = (self - 1) * EACH + pushed[self] + 1
    fi
  };
  atomic { may_die(MEMBER); at = tail };
push_looked:
  atomic {
    may_die(MEMBER);
    w = word[INDEX(at)];
    if
    :: AHEAD(w, at) == 0 && PHASE(w) != FREE -> at++; goto push_looked
    :: AHEAD(w, at) > 0 -> /* last_freed() + 1 */
      if
      :: (LAP(w) - 1) * SLOTS + INDEX(at) > at -> at = (LAP(w) - 1) * SLOTS + INDEX(at) + 1
      :: else -> at++
      fi;
      goto push_looked
    :: AHEAD(w, at) < 0 ->
      assert(AHEAD(w, at) == -1 && PHASE(w) != FREE);
      goto push_full
    :: AHEAD(w, at) == 0 && PHASE(w) == FREE
    fi
  };
  atomic {
    may_die(MEMBER);
    if
    :: word[INDEX(at)] != w -> goto push_looked
    :: else
    fi;
    assert(at == true_tail); /* push_order */
    true_tail++;
#ifdef MUTANT_UNSIGNED_CLAIM
    change(INDEX(at), WORD(LAP(w), CLAIMED, 0, 0))
#else
    change(INDEX(at), WORD(LAP(w), CLAIMED, self, 0))
#endif
  };
push_claimed:
#ifdef MUTANT_RECOVER_THE_LIVING /* taken for dead because it was slow */
  atomic { if :: deaths[MEMBER] < CRASHES -> deaths[MEMBER]++; gone[self] = 1 :: true fi };
#endif
#ifndef MUTANT_NO_LOOK_AT_CLOSED
  atomic {
    may_die(MEMBER);
    if
    :: closed -> goto push_skipped
    :: else
    fi
  };
#endif
  atomic { may_die(MEMBER); payload0[INDEX(at)] = message };
#ifndef MUTANT_PUBLISH_BEFORE_PAYLOAD
  atomic { may_die(MEMBER); payload1[INDEX(at)] = message };
#endif
push_filled:
  atomic {
    may_die(MEMBER);
    assert(PHASE(word[INDEX(at)]) == CLAIMED && LAP(word[INDEX(at)]) == LAP(w));
    assert(WHO(word[INDEX(at)]) == self || WHO(word[INDEX(at)]) == 0);
    assert(!told_closed);
    change(INDEX(at), WORD(LAP(w), READY, self, 0));
    committed[message] = 1;
    pushed[self]++;
    w = 0; message = 0
  };
push_published:
#ifdef MUTANT_PUBLISH_BEFORE_PAYLOAD
  atomic { payload1[INDEX(at)] = payload0[INDEX(at)] };
#endif
  advance(MEMBER, tail, at + 1);
  atomic { at = 0; goto push_begin };
push_skipped:
  atomic {
    may_die(MEMBER);
    change(INDEX(at), NEXT_LAP(w));
    goto over
  };
push_full:
  advance(MEMBER, tail, at);
  atomic {
    (HAS_SPACE || closed);
    at = 0; w = 0; message = 0;
    goto push_begin
  };
died:
  atomic { gone[self] = 1; at = 0; seen = 0; w = 0; message = 0 };
  atomic { !gone[self]; goto push_begin };
over:
  atomic { finished++; at = 0; seen = 0; w = 0; message = 0 }
}

/* The slot of `at` was seen in `w`, its payload is in copy0 and copy1, and the CAS succeeded. */
inline take() {
  assert(copy0 == copy1);                       /* torn */
  assert(committed[copy0] && !settled[copy0]);  /* twice */
  assert(!delivered[copy0] || AGAIN(w));        /* twice, unmarked */
  if
  :: EACH > 1 && copy0 % EACH == 0 && !AGAIN(w) -> /* overtaken: the last of its producer's */
    assert(delivered[copy0 - 1])
  :: else
  fi;
  delivered[copy0] = 1
}

inline settle_head(kind) {
  atomic { may_die(kind); at = head };
  do
  :: atomic {
       may_die(kind);
       w = word[INDEX(at)];
       if :: AHEAD(w, at) > 0 -> at++ :: else -> w = 0; break fi
     }
  od;
  advance(kind, head, at)
}

proctype consumer(byte self) {
  byte at = 0;
  byte done = 0;
  byte first_claimed = NOWHERE;
  byte candidate = NOWHERE;
  byte copy0 = 0;
  byte copy1 = 0;
  byte seen = 0;
  bit was_closed = 0;
  bit first = 0;
  short w = 0;
peek_begin:
#ifndef MUTANT_CLOSED_READ_LAST
  atomic { may_die(MEMBER); was_closed = closed };
#endif
  atomic { may_die(MEMBER); at = head };
  atomic {
    may_die(MEMBER);
    w = word[INDEX(at)];
    done = at;
    if
    :: AHEAD(w, at) == 0 && PHASE(w) == READY -> first = 1; goto pop_peeked
    :: AHEAD(w, at) < 0 || (AHEAD(w, at) == 0 && PHASE(w) == FREE) -> goto peek_end
    :: else
    fi
  };
walk_step:
  atomic {
    may_die(MEMBER);
    w = word[INDEX(at)];
    if
    :: AHEAD(w, at) > 0 ->
      seen = at;
      if
      :: (LAP(w) - 1) * SLOTS + INDEX(at) >= at + SLOTS ->
        at = (LAP(w) - 1) * SLOTS + INDEX(at) - SLOTS + 1
      :: else -> at++
      fi;
      if :: done == seen -> done = at :: else fi;
      seen = 0;
      goto walk_step
    :: AHEAD(w, at) < 0 || (AHEAD(w, at) == 0 && PHASE(w) == FREE) -> skip
    :: AHEAD(w, at) == 0 && PHASE(w) == READY ->
#ifndef MUTANT_NO_SECOND_LOOK
      if
      :: first_claimed != NOWHERE && at != candidate ->
        candidate = at;
        at = first_claimed;
        first_claimed = NOWHERE;
        goto walk_step
      :: else
      fi;
#endif
      first = (done == at);
      goto pop_peeked
    :: AHEAD(w, at) == 0 && (PHASE(w) == CLAIMED || PHASE(w) == TAKEN) ->
      if
      :: PHASE(w) == CLAIMED && first_claimed == NOWHERE -> first_claimed = at
      :: else
      fi;
      goto peek_stepped_over
    fi
  };
  goto peek_hint;
peek_stepped_over:
  atomic { at++; goto walk_step };
peek_hint:
  advance(MEMBER, head, done);
peek_end:
#ifdef MUTANT_CLOSED_READ_LAST
  atomic { may_die(MEMBER); was_closed = closed };
#endif
  atomic {
    may_die(MEMBER);
    if
    :: was_closed && done == at -> /* closed */
      seen = 1;
      do
      :: seen <= MESSAGES -> assert(!committed[seen] || settled[seen]); seen++
      :: else -> break
      od;
      told_closed = 1;
      goto over
    :: else
    fi;
    at = 0; done = 0; w = 0; was_closed = 0; first_claimed = NOWHERE; candidate = NOWHERE
  };
  (HAS_NEWS);
  goto peek_begin;
pop_peeked:
#ifdef MUTANT_TAKE_BEFORE_COPY
  atomic {
    may_die(MEMBER);
    first_claimed = NOWHERE; candidate = NOWHERE; done = 0; was_closed = 0;
    if
    :: word[INDEX(at)] != w -> goto pop_again
    :: else -> change(INDEX(at), NEXT_LAP(w))
    fi
  };
  atomic { may_die(MEMBER); copy0 = payload0[INDEX(at)] };
  atomic { may_die(MEMBER); copy1 = payload1[INDEX(at)]; take(); settled[copy0] = 1 };
#else
  atomic {
    may_die(MEMBER);
    copy0 = payload0[INDEX(at)];
    first_claimed = NOWHERE; candidate = NOWHERE; done = 0; was_closed = 0
  };
  atomic { may_die(MEMBER); copy1 = payload1[INDEX(at)] };
  atomic {
    may_die(MEMBER);
    if
    :: word[INDEX(at)] != w -> goto pop_again
    :: else
    fi;
    take();
#ifdef AT_LEAST_ONCE
    change(INDEX(at), WORD(LAP(w), TAKEN, self, AGAIN(w)));
#else
    settled[copy0] = 1;
    change(INDEX(at), NEXT_LAP(w));
#endif
  };
#endif
pop_taken:
#ifdef AT_LEAST_ONCE
  if
  :: goto acknowledge
  :: give_backs < GIVE_BACKS -> goto give_back
  fi;
give_back:
  atomic {
    may_die(MEMBER);
    assert(word[INDEX(at)] == WORD(LAP(w), TAKEN, self, AGAIN(w)));
    give_backs++;
    change(INDEX(at), WORD(LAP(w), READY, 0, 1));
    goto pop_again
  };
acknowledge:
  atomic {
    may_die(MEMBER);
    assert(word[INDEX(at)] == WORD(LAP(w), TAKEN, self, AGAIN(w)));
    assert(!settled[copy0]);
    settled[copy0] = 1;
    change(INDEX(at), NEXT_LAP(w));
    copy0 = 0; copy1 = 0; w = 0; first = 0
  };
acknowledge_freed:
  settle_head(MEMBER);
#else
  if
  :: first -> advance(MEMBER, head, at + 1)
  :: else
  fi;
#endif
pop_again:
  atomic { may_die(MEMBER); at = 0; copy0 = 0; copy1 = 0; w = 0; first = 0 };
  goto peek_begin
died:
  atomic {
  gone[self] = 1;
  at = 0; done = 0; first_claimed = NOWHERE; candidate = NOWHERE; copy0 = 0; copy1 = 0;
  seen = 0; was_closed = 0; first = 0; w = 0
  };
  atomic { !gone[self]; goto peek_begin };
over:
  atomic { finished++; at = 0; done = 0; seen = 0; w = 0; was_closed = 0 }
}

/* Whoever has the recovery claim: it may die too, and then the next one begins again. */
proctype recoverer() {
  byte who = 0;
  byte i = 0;
  byte at = 0;
  byte seen = 0;
  short w = 0;
end_idle:
  atomic {
    if
    :: gone[1] -> who = 1
    :: gone[2] -> who = 2
    :: MEMBERS > 2 && gone[MEMBERS - 1] -> who = MEMBERS - 1
    :: MEMBERS > 2 && gone[MEMBERS] -> who = MEMBERS
    fi;
    seen = 0
  };
#ifndef MUTANT_NO_RECOVERY
recover_slot:
  atomic {
    may_die(RECOVERY);
    w = word[i];
    if
    :: WHO(w) == who && PHASE(w) == CLAIMED -> goto recover_claimed
#ifdef AT_LEAST_ONCE
    :: WHO(w) == who && PHASE(w) == TAKEN -> goto recover_taken
#endif
    :: else -> goto recover_next
    fi
  };
recover_claimed:
  atomic {
    may_die(RECOVERY);
    if :: word[i] == w -> change(i, NEXT_LAP(w)) :: else fi;
    goto recover_next
  };
#ifdef AT_LEAST_ONCE
recover_taken:
  atomic {
    may_die(RECOVERY);
#ifdef MUTANT_REDELIVER_UNMARKED
    if :: word[i] == w -> change(i, WORD(LAP(w), READY, 0, 0)) :: else fi
#else
    if :: word[i] == w -> change(i, WORD(LAP(w), READY, 0, 1)) :: else fi
#endif
  };
#endif
recover_next:
  atomic {
    w = 0;
    i++;
    if :: i < SLOTS -> goto recover_slot :: else -> i = 0 fi
  };
  settle_head(RECOVERY);
#endif
recover_resolved:
  atomic { gone[who] = 0; who = 0; i = 0; at = 0; goto end_idle };
died:
  atomic { who = 0; i = 0; at = 0; seen = 0; w = 0; goto end_idle }
}

/* Not killed here: close() is one store. */
proctype closer() {
  byte i = 1;
#ifndef CLOSE_EARLY
  do
  :: i <= MESSAGES -> settled[i]; i++
  :: else -> break
  od;
#endif
close_marked:
  atomic { closed = 1 };
  finished == MEMBERS;
  i = 1;
  do
  :: i <= MESSAGES -> assert(!committed[i] || settled[i]); i++ /* lost */
  :: else -> break
  od;
  assert(!IN_SLOT(CLAIMED) && !IN_SLOT(READY) && !IN_SLOT(TAKEN))
}

init {
  byte i = 1;
  atomic {
    do
    :: i <= PRODUCERS -> run producer(i); i++
    :: i > PRODUCERS && i <= MEMBERS -> run consumer(i); i++
    :: i > MEMBERS -> break
    od;
    run recoverer();
#ifdef MUTANT_RECOVERY_OUTLIVES_THE_INDEX /* while the next one has ended, too */
    run recoverer();
#endif
    run closer()
  }
}

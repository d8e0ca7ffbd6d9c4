/* lane_slots.pml - a lane of one slot: a provider that overwrites it and uses memory again, readers
 * that copy, hold what the message refers to, and let go. Each of them may be killed at every step.
 *
 * Models    src/shm/flow/lane.h (publish, read, still_stands, retire_below) and the owner's look at
 *           the rows (src/shm/heap/heap.cc). Each atomic block is one access to shared memory. Two
 *           payload words, of which the second names the chunk; chunk c holds the message that was
 *           written into it last. Why it is so: docs/design/0019-flows.md.
 * Sizes     MESSAGES, CHUNKS, READERS, CRASHES (of readers); PROVIDER_DIES.
 * Checked   torn: what was found is one message. reuse: what a reader holds is not written.
 *           No deadlock: a provider that waits for a free chunk gets one in the end.
 * Left out  more slots than one: slots do not know of each other. Weak memory: docs/design/0013.
 * Unnamed   fill_chunk, publish_chunk, look_rows, read_word, read_chunk, hold, use, use_again, release
 * A killed reader's row goes with it; it comes back with a new one.
 *
 * run overwriting: -DCRASHES=0
 * run deaths: -DPROVIDER_DIES
 * run ends (progress): -DREADERS=1
 * soak more: -DMESSAGES=5 -DCRASHES=2
 * mutant NO_SECOND_LOOK: -DCRASHES=0
 * mutant PUBLISHED_TOO_EARLY: -DCRASHES=0
 * mutant NOT_TAKEN_OUT: -DCRASHES=0
 * mutant HOLD_AFTER_THE_LOOK: -DCRASHES=0
 * mutant ROWS_BEFORE_THE_SLOT: -DCRASHES=0
 * mutant DEAD_ROW_STAYS: -DREADERS=1
 */
#ifndef MESSAGES
#define MESSAGES 4
#endif
#ifndef CHUNKS
#define CHUNKS 2
#endif
#ifndef READERS
#define READERS 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#if CHUNKS != 2
#error "the owner's look is written out for two chunks"
#endif

#define may_die() \
  if :: deaths < CRASHES -> deaths++; goto died :: true fi
#ifdef PROVIDER_DIES
#define provider_may_die() if :: goto died :: true fi
#else
#define provider_may_die() skip
#endif

/* The slot: which message, whether it is published, the two words. Messages count from 1. */
byte stamp = 0;
bit published = 0;
byte word_message = 0;
byte word_chunk = 0;
/* What the chunks contain, and the readers' rows. */
byte content[CHUNKS];
byte rows[CHUNKS];

/* What only the model knows. */
byte deaths = 0;
bit provider_over = 0;

proctype provider() {
  byte message = 1;
  byte chunk = 0;
#ifdef MUTANT_ROWS_BEFORE_THE_SLOT
  bit was_free = 1;
#endif
fill_chunk:
  atomic { provider_may_die(); content[chunk] = message };
publish_begin:
#ifndef MUTANT_NOT_TAKEN_OUT
#ifdef MUTANT_PUBLISHED_TOO_EARLY
  atomic { provider_may_die(); stamp = message; published = 1 };
#else
  atomic { provider_may_die(); stamp = message; published = 0 };
#endif
#endif
publish_begun:
  atomic { provider_may_die(); word_message = message };
publish_chunk:
  atomic { provider_may_die(); word_chunk = chunk };
publish_filled:
  atomic { provider_may_die(); stamp = message; published = 1 };
publish_published:
  atomic {
    provider_may_die();
    if
    :: message == MESSAGES -> goto over
    :: else -> message++
    fi
  };
  /* The next message goes into the other chunk. Its slot is gone once this one was published. */
look_rows:
#ifdef MUTANT_ROWS_BEFORE_THE_SLOT
  /* Uses the chunk whose message still stands in the slot. */
  atomic { rows[chunk] == 0; provider_may_die() };
  goto fill_chunk;
#else
  atomic { rows[1 - chunk] == 0; provider_may_die(); chunk = 1 - chunk; goto fill_chunk };
#endif
died:
over:
  atomic { message = 0; chunk = 0; provider_over = 1 }
}

proctype reader() {
  byte next = 1;
  byte found = 0;
  byte found_chunk = 0;
  byte message = 0;
  bit held = 0;
read_begin:
  atomic {
    may_die();
    found = 0; found_chunk = 0; message = 0;
    if
    :: stamp >= next && published -> found = stamp
    :: stamp < next && provider_over -> goto ended
    :: stamp >= next && !published && provider_over -> goto ended /* a gap, and the end */
    fi
  };
read_word:
  atomic { may_die(); message = word_message };
read_chunk:
  atomic { may_die(); found_chunk = word_chunk };
#ifndef MUTANT_NO_SECOND_LOOK
read_again:
  atomic {
    may_die();
    if
    :: stamp == found && published
    :: else -> goto read_begin
    fi
  };
#endif
  assert(message == found); /* torn */
#ifdef MUTANT_HOLD_AFTER_THE_LOOK
  atomic { if :: stamp == found && published :: else -> goto read_begin fi };
  atomic { rows[found_chunk]++; held = 1 };
#else
hold:
  atomic { may_die(); rows[found_chunk]++; held = 1 };
hold_stands:
  atomic {
    may_die();
    if
    :: stamp == found && published
    :: else -> rows[found_chunk]--; held = 0; goto read_begin
    fi
  };
#endif
use:
  atomic { may_die(); assert(content[found_chunk] == found) /* reuse */ };
use_again:
  atomic { may_die(); assert(content[found_chunk] == found) /* reuse */ };
release:
  atomic {
    may_die();
    rows[found_chunk]--; held = 0; next = found + 1;
    if
    :: next > MESSAGES -> goto ended
    :: else -> goto read_begin
    fi
  };
died:
  atomic {
#ifndef MUTANT_DEAD_ROW_STAYS
    if :: held -> rows[found_chunk]-- :: else fi;
#endif
    held = 0;
    next = 1;
    goto read_begin
  };
ended:
  atomic { found = 0; found_chunk = 0; message = 0 }
}

init {
  byte i = 0;
  atomic {
    run provider();
    do
    :: i < READERS -> run reader(); i++
    :: else -> break
    od
  }
}

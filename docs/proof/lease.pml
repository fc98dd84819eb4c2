/* How hosts share one run over one database: claim, renew, expire, settle, take over.
 *
 * Checked over every order of events (`make proof`):
 *
 *   one_owner    At most one live attempt believes that it owns the run.
 *   it_ends      Once the faults are over the run ends: it is never stuck.
 *   it_stays     What has ended stays as it ended.
 *   the assert   A result is accepted only while nobody else believes to own the run.
 *
 * What may happen at any moment: a host stalls past its lease, is killed and starts again, the database goes away and
 * comes back, the answer to a request comes late, or never although the database has done what was asked. FAULTS of them
 * in any mixture; without a bound nothing could be said about an end.
 *
 * Time goes in ticks. Every clock is a counter that the same ticks take down: a lease as the database counts it, and the
 * trust in it as its host counts it, from the moment at which the host ASKED and not from that of the answer. So the trust
 * begins before the lease does, and is shorter by MARGIN. That is the whole argument, and -DTRUST_FROM_ANSWER shows that
 * it is needed: counted from the answer, two hosts do believe at once. MARGIN stands for clocks that go at different
 * rates; their readings are never compared.
 *
 * A host whose trust has ended lets its process go on, starts nothing, and may be trusted again if the row is still its
 * own. Left out, because it changes nothing here: labels, limits, priorities, more than one run.
 */

#define HOSTS 2
#ifndef FAULTS
#define FAULTS 3
#endif
#define TTL 3       /* a lease, in ticks */
#define MARGIN 1
#define ATTEMPTS 2  /* how often the run may be tried */
#define NOBODY HOSTS

mtype:stage = { queued, running, succeeded, lost };

/* The database: one row. */
mtype:stage state = queued;
byte owner = NOBODY;
byte attempt = 0;
byte lease = 0;         /* ticks that are left of it */
byte grace = 0;         /* nothing expires for so long after the database's return */
bool up = true;

/* What a host knows by heart; a kill takes it away. */
byte holds[HOSTS];      /* the attempt that it believes to own; 0: none */
byte trust[HOSTS];      /* ticks that are left of that belief */
byte hope[HOSTS];       /* the trust that an answer would bring, counted from the question */
bool asking[HOSTS];

/* What outlives a kill. */
byte lives[HOSTS];      /* the attempt whose process lives there; 0: none */
byte record[HOSTS];     /* the attempt whose exit record lies there; 0: none */

byte faults = FAULTS;

#define OVER (state == succeeded || state == lost)
#define BELIEVES(h) (holds[h] > 0 && trust[h] > 0)
#define MINE(h, a) (state == running && owner == h && attempt == a)
#ifdef WITHOUT_FENCE
#define MAY_SETTLE(h) (state == running)
#else
#define MAY_SETTLE(h) MINE(h, record[h])
#endif
#define HAS_TO_START(h) (BELIEVES(h) && lives[h] != holds[h] && record[h] != holds[h])
#define BUSY(h) (asking[h] || HAS_TO_START(h) || record[h] > 0)

inline go_down(counter) {
  if
  :: counter > 0 -> counter--
  :: else
  fi
}

/* Time passes. While a host has something to do at once, that is a stall of it: a fault. */
active proctype time() {
end:
  do
  :: atomic {
       !OVER && (!(up && (BUSY(0) || BUSY(1))) || faults > 0) ->
       if
       :: up && (BUSY(0) || BUSY(1)) -> faults--
       :: else
       fi;
       go_down(lease); go_down(grace);
       go_down(trust[0]); go_down(trust[1]);
       go_down(hope[0]); go_down(hope[1])
     }
  :: OVER -> break
  od
}

active proctype outages() {
end:
  do
  :: atomic { up && faults > 0 && !OVER -> faults--; up = false }
  :: atomic { !up -> up = true; grace = TTL }
  :: OVER && up -> break
  od
}

/* Processes end, and leave their record; they need no engine for that. */
active [HOSTS] proctype process() {
  byte h = _pid - 2;
end:
  do
  :: atomic { lives[h] > 0 -> record[h] = lives[h]; lives[h] = 0 }
  :: OVER && lives[h] == 0 -> break
  od
}

inline ask() {
  asking[h] = true; hope[h] = TTL - MARGIN
}

inline hear(which) {
  holds[h] = which;
#ifdef TRUST_FROM_ANSWER
  trust[h] = TTL - MARGIN;
#else
  trust[h] = hope[h];
#endif
  asking[h] = false; hope[h] = 0
}

inline forget() {
  holds[h] = 0; trust[h] = 0; asking[h] = false; hope[h] = 0
}

active [HOSTS] proctype host() {
  byte h = _pid - 2 - HOSTS;
  byte which = 0;
  do
  :: OVER -> break

  /* A kill; or an answer that never comes, after which a host looks at what is there as after a kill. */
  :: atomic { faults > 0 && !OVER -> faults--; forget(); which = 0 }

  /* Claim: ask, the database does it, the answer comes. */
  :: atomic { holds[h] == 0 && up && state == queued && attempt < ATTEMPTS -> ask() };
     if
     :: atomic { up && state == queued && attempt < ATTEMPTS ->
          state = running; owner = h; attempt++; lease = TTL; which = attempt };
        if
        :: atomic { hear(which); which = 0 }
        :: atomic { faults > 0 -> faults--; forget(); which = 0 }
        fi
     :: atomic { !up || state != queued || attempt >= ATTEMPTS -> forget() }
     fi

  /* Start what it believes to own. */
  :: atomic { HAS_TO_START(h) -> lives[h] = holds[h] }

  /* Renew. When the row is another's by now, it no longer holds anything. */
  :: atomic { holds[h] > 0 && up && trust[h] < TTL - MARGIN && !HAS_TO_START(h) && record[h] == 0 -> ask() };
     if
     :: atomic { up && MINE(h, holds[h]) -> lease = TTL };
        if
        :: atomic { hear(holds[h]) }
        :: atomic { faults > 0 -> faults--; asking[h] = false; hope[h] = 0 }
        fi
     :: atomic { up && !MINE(h, holds[h]) -> forget() }
     :: atomic { !up -> asking[h] = false; hope[h] = 0 }
     fi

  /* Adopt what the row says is its own, and of which something is here; what was provably never started is given back. */
  :: atomic { holds[h] == 0 && up && state == running && owner == h -> ask() };
     if
     :: atomic { up && state == running && owner == h && (lives[h] == attempt || record[h] == attempt) ->
          lease = TTL; which = attempt };
        atomic { hear(which); which = 0 }
     :: atomic { up && state == running && owner == h && lives[h] != attempt && record[h] != attempt ->
          state = queued; owner = NOBODY; attempt--; forget() }
     :: atomic { !up || state != running || owner != h -> forget() }
     fi

  /* Settle, fenced by host and attempt; what matches no row is dropped. */
  :: atomic {
       record[h] > 0 && up ->
       if
       :: MAY_SETTLE(h) -> assert(!BELIEVES(1 - h)); state = succeeded; owner = NOBODY; lease = 0
       :: else
       fi;
       if
       :: holds[h] == record[h] -> forget()
       :: else
       fi;
       record[h] = 0
     }

  /* Expire: any host may. */
  :: atomic {
       up && state == running && lease == 0 && grace == 0 ->
       owner = NOBODY;
       if
       :: attempt < ATTEMPTS -> state = queued
       :: else -> state = lost
       fi
     }
  od
}

ltl one_owner { [] !(BELIEVES(0) && BELIEVES(1)) }
ltl it_ends { <> OVER }
ltl it_stays { [] ((state == succeeded -> [] (state == succeeded)) && (state == lost -> [] (state == lost))) }

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pidfile protocol as coded, one system call a step. README.md says what is left out and why.
 *
 * A comment "model: NAME" stands here and at the same step in src; tests/checks/model.py holds the
 * two together.
 *
 * What is run, by -D:
 *   A0 A1 A2   three actors: EXEC FREE WRITE LOCKED SUP (starts), RESTART + one of these, STOP,
 *              LEFTOVERS (stop --leftovers), PROBE (a foreign flock), NONE
 *   OLD        before: 0 nothing, 1 the files of a dead server, 2 a server that lives,
 *              3 one that lives and was started with inherit-lock = no
 *   CR         how many of all processes may be killed, at any step
 *   RM, RMS    how many files an administrator removes, and which: 1 lock, 2 pidfile, 4 state
 *   REUSE      1: an innocent process takes a number that became free
 *   LEFT       1: a dead server may leave a child that holds the lock
 *   KILL       1: a stop may lose its patience and send KILL
 *   LIVE       1: actor 2 waits as long as it takes, all others give up at once
 * and the mutants, each found wrong: NO_INODE UNLINK_AFTER CHECK_FIRST LOCK_FREE NO_FINAL
 *   TRUST_PIDFILE BLIND OEXCL, and what was found in the code itself: LATE_UNLINK LATE_STATE
 *   JUDGED_UNSEEN BLIND_BACK.
 */
#define EXEC      1
#define FREE      2
#define WRITE     3
#define LOCKED    4
#define SUP       5
#define RESTART   8
#define STOP      16
#define LEFTOVERS 17
#define PROBE     18
#define NONE      0
#define FIN       3 /* the actor that starts when all is over */

#ifndef A0
#define A0 EXEC
#endif
#ifndef A1
#define A1 EXEC
#endif
#ifndef A2
#define A2 STOP
#endif
#ifndef OLD
#define OLD 1
#endif
#ifndef CR
#define CR 1
#endif
#ifndef RM
#define RM 0
#endif
#ifndef RMS
#define RMS 7
#endif
#ifndef REUSE
#define REUSE 0
#endif
#ifndef LEFT
#define LEFT 0
#endif
#ifndef KILL
#define KILL 0
#endif
#ifndef LIVE
#define LIVE 0
#endif

#define HAS(role)   (A0 % RESTART == role || A1 % RESTART == role || A2 % RESTART == role \
                     || A0 == role || A1 == role || A2 == role)
#define IS_RESTART(role) (role > RESTART && role < STOP)
#define HAS_RESTART (IS_RESTART(A0) || IS_RESTART(A1) || IS_RESTART(A2))

#ifdef OEXCL
#define MADE(yes) made = yes
#else
#define MADE(yes) skip
#endif

#define NP 7 /* process numbers */
#define NG 9 /* processes, ever */
#define NI 6 /* lock files at once: one in place, and what each has open */

#define SAME(me) (((me) == 1 && A0 == A1) || ((me) == 2 && A1 == A2))
#define BIT(n)     (1 << (n))
#define SERVERS(n) (1 << ((n) + 4)) /* what stays of that actor's flock: its server, a leftover */
#define OLDS       SERVERS(FIN)     /* that of the server before */
#define PROBES     256
#define GEN(v)     ((v) & 15)
#define PID(v)     gpid[GEN(v)]
#define NAMED      16 /* in a state: it names the server, too */
#define ISALIVE(g) ((g) != 0 && alive[gpid[g]] == (g))

/* Processes: a number, and what tells it from all others with that number. */
byte alive[NP + 1]; /* number -> the process that has it, 0 none */
byte gpid[NG];      /* process -> its number */
byte srv[NG];       /* supervisor -> its server */
byte gens, lives;
short ours = 0;   /* of this instance: all others are innocent */
short term = 0;   /* a signal is on its way to them */
short killed = 0; /* KILL, or a crash */
byte dying = 0;   /* actors, likewise */
byte gone = 0;    /* actors that are done */

/* Files: which process wrote it, and for the pidfile which of the two that it may have written. */
byte pidfile, state, lock; /* what stands under the three names */
byte new_pidfile[NI], new_state[NI]; /* the temporaries, named after the lock file */
byte byted[NI]; /* lock file -> who has the claim byte, actor + 1 */
short flocked[NI];
byte opened[NI];

byte owners, owner;
byte served = 0; /* actors that are owners, until they are done */
byte begun = 0; /* actors that were born */
byte go = 0;     /* actors whose server was told to exec */
byte crashes, rms, reused, freed;
byte removed; /* by an administrator: 2 pidfile, 4 state, ever; 1 the lock of who is the owner now */
short left = 0; /* what a dead server's leftover keeps of the flock */

/* ---- The system -------------------------------------------------------------------------- */

/* The lowest free number: the most reuse. */
inline born(p, g)
{
    p = 1;
    do
    :: p <= NP && alive[p] != 0 -> p++
    :: else -> break
    od;
    assert(p <= NP && gens < NG - 1);
    gens++;
    g = gens;
    gpid[g] = p;
    alive[p] = g;
    lives++
}

/* whose: the bits of the flock that go with it. */
inline dies(g, whose)
{
    freed = gpid[g];
    alive[freed] = 0;
    lives--;
    term = term & ~BIT(g);
    killed = killed & ~BIT(g);
    tmp = 1;
    do
    :: tmp < NI && !(flocked[tmp] & whose) -> tmp++
    :: else -> break
    od;
    if
    :: tmp < NI && LEFT && left == 0 -> left = SERVERS(me); flocked[tmp] = flocked[tmp] | left
    :: true
    fi;
    if
    :: tmp < NI -> flocked[tmp] = flocked[tmp] & ~(whose & ~left)
    :: else
    fi;
    tmp = 0
}

inline closes(i)
{
    opened[i] = opened[i] & ~BIT(me);
    flocked[i] = flocked[i] & ~BIT(me);
    if
    :: byted[i] == me + 1 -> byted[i] = 0
    :: else
    fi;
    i = 0
}

inline becomes_owner()
{
    owners++;
    assert(owners <= 1); /* one owner */
    owner = g;
    removed = removed & 6;
    served = served | BIT(me)
}

/* Actors of one role are born in their order: which of them is which makes no difference. */
inline starts()
{
    atomic {
        me == FIN || ((begun & BIT(me)) == 0 && (!SAME(me) || ((begun | gone) & BIT(me - 1)))) ->
            born(p, g);
            ours = ours | BIT(g);
            begun = begun | BIT(me)
    }
}

inline is_no_owner(g)
{
    if
    :: owner == g && g != 0 -> owner = 0; owners--
    :: else
    fi
}

/* ---- A look: who lives? --------------------------------------------------------------------
 * Two reads, then one step that decides: whoever is dead stays dead, so that nothing is lost by
 * asking for the owner, the server and the bare number at once. */

#define OWNER_LIVES(s)  ((s) != 0 && ISALIVE(GEN(s)))
#define SERVER_LIVES(s) ((s) >= NAMED && ISALIVE(srv[GEN(s)]))
#define SPOKEN_OF(p, s) ((s) != 0 && (PID(p) == PID(s) || ((s) >= NAMED && PID(p) == gpid[srv[GEN(s)]])))
#ifdef SLACK /* as if all were younger than two seconds */
#define NUMBER_LIVES(p) (alive[PID(p)] != 0)
#else
#define NUMBER_LIVES(p) (ISALIVE(GEN(p)))
#endif

/* seen: 0 the lock is free, else somebody holds it or claims. -> who (0 nobody), busy. */
inline decide(seen)
{
    if
    :: published && rp == mine -> who = 0; busy = 0
    :: else ->
        if
        :: OWNER_LIVES(rs) -> who = GEN(rs); busy = 0
        :: else ->
            if
            :: SERVER_LIVES(rs) -> who = srv[GEN(rs)]; busy = 0
            :: else ->
                if
                :: seen -> who = 0; busy = 1
                :: else ->
                    busy = 0;
                    if
                    :: rp != 0 && !SPOKEN_OF(rp, rs) && NUMBER_LIVES(rp) -> who = alive[PID(rp)]
                    :: else -> who = 0
                    fi
                fi
            fi
        fi
    fi
}

#ifdef STRICT /* what is promised only as long as no administrator removes a file: README.md */
#define EXCUSED false
#else
#define EXCUSED (rms != 0)
#endif

/* A living owner is never overlooked: whoever lived before the look is seen by it. */
#define NOT_OVERLOOKED assert(EXCUSED || who != 0 || busy || lived == 0 || lived != owner || lived == g)

inline reads()
{
    d_step { rp = pidfile; lived = owner }; /* model: look pidfile */
    rs = state; /* model: look state */
}

/* ---- The lock ---------------------------------------------------------------------------- */

/* -> ino, or from here again: somebody else made it in between. */
inline opens()
{
    do
    :: atomic { /* model: claim 1 open */
        lock != 0 -> ino = lock; MADE(0); opened[ino] = opened[ino] | BIT(me); break
       }
    :: lock == 0 ->
        atomic { /* model: claim 1 make */
            if
            :: lock == 0 ->
                ino = 1;
                do
                :: opened[ino] != 0 || flocked[ino] != 0 -> ino++
                :: else -> break
                od;
                assert(ino < NI);
                lock = ino;
                opened[ino] = opened[ino] | BIT(me);
                MADE(1);
                break
            :: else
            fi
        }
    od
}

/* ---- Steps 4 and 5 ----------------------------------------------------------------------- */

/* Nobody else touches a temporary, so what came out is compared in the same step. -> ok */
inline publishes(name, temporary, judged, own)
{
    d_step {
        if
        :: judged == 0 -> /* model: publish new */
            ok = (name == 0);
            if
            :: ok -> name = temporary; temporary = 0
            :: else
            fi
        :: judged != 0 && name == 0 -> ok = 0; judged = 0
        :: else -> /* model: publish exchange */
            tmp = name;
            name = temporary;
            temporary = tmp;
            tmp = 0;
            ok = (temporary == judged) /* model: publish compare */
        fi
    };
    if
    :: judged != 0 && !ok ->
        d_step { /* model: publish back */
            if
            :: name != 0 ->
                tmp = name;
                name = temporary;
                temporary = tmp;
                tmp = 0;
#ifndef BLIND_BACK
                ok = (temporary != own) /* somebody else's, who was faster */
#endif
            :: else
            fi
        };
        if
        :: ok ->
            d_step { /* model: publish forth */
                if
                :: name != 0 -> tmp = name; name = temporary; temporary = tmp; tmp = 0
                :: else
                fi;
                ok = 0
            }
        :: else
        fi
    :: else
    fi
}

/* Only what is still this claim's own. */
inline unpublishes(name, temporary, judged)
{
    ok = (name == 0 || name == (g | version)); /* model: unpublish compare */
    d_step {
        if
        :: !ok
        :: ok && judged == 0 -> name = 0 /* model: unpublish remove */
        :: ok && judged != 0 && name == 0 -> name = temporary; temporary = 0 /* model: unpublish put */
        :: ok && judged != 0 && name != 0 -> /* model: unpublish exchange */
            tmp = name;
            name = temporary;
            temporary = tmp;
            tmp = 0
        fi
    }
}

/* ---- The end of a claim ------------------------------------------------------------------ */

/* A stat and an unlink are two steps: an rm between them makes it another's, as two rms would. */
inline unlinks()
{
    removed = (lock != ino && rms != 0 -> removed | 1 : removed);
    lock = 0
}

inline ends_lock()
{
    if
    :: atomic { /* model: end byte */
        ino != 0 && (byted[ino] == 0 || byted[ino] == me + 1) -> byted[ino] = me + 1; ok = 1
       }
    :: atomic { ino != 0 && byted[ino] != 0 && byted[ino] != me + 1 -> ok = 0 }
    :: ino == 0 -> ok = 0
    fi;
#ifdef UNLINK_AFTER
    d_step {
        tmp = ino;
        if
        :: ino != 0 -> closes(ino)
        :: else
        fi
    };
    d_step {
        if
        :: ok && lock == tmp -> lock = 0
        :: else
        fi;
        tmp = 0;
        ok = 0
    }
#else
    if
    :: ok ->
        atomic { /* model: end flock */
            ok = 0;
            if
            :: (flocked[ino] & ~BIT(me)) == 0 -> flocked[ino] = BIT(me); ok = 1
            :: else
            fi
        };
        if
        :: ok ->
            d_step { new_pidfile[ino] = 0; new_state[ino] = 0 } /* model: end aside */
#ifndef BLIND
            ok = (lock == ino); /* model: end place */
#endif
            d_step {
                if
#ifdef BLIND
                :: ok -> lock = 0
#else
                :: ok -> unlinks() /* model: end lock */
#endif
                :: else
                fi;
                ok = 0
            }
        :: else
        fi
    :: else
    fi;
    d_step { /* model: end close */
        if
        :: ino != 0 -> closes(ino)
        :: else
        fi
    }
#endif
}

inline removes_published()
{
    reads();
    atomic { /* the state not, where it speaks of somebody else by now */
        decide(0);
        ok = !(rs != 0 && who != 0 && who != g && (OWNER_LIVES(rs) || !SERVER_LIVES(rs)));
        who = 0;
        rs = 0;
        lived = 0;
        published = 0;
        if
        :: rp == 0 || rp != mine -> rp = 0
        :: else
        fi
    };
    if
    :: rp != 0 -> d_step { pidfile = 0; rp = 0 } /* model: end pidfile */
    :: else
    fi;
    if
    :: ok -> d_step { state = 0; ok = 0 } /* model: end state */
    :: else
    fi
}

/* ---- Removal, under the claim byte -------------------------------------------------------- */

/* -> busy: it was left alone */
inline clears()
{
    jp = pidfile; /* model: clear pidfile */
    atomic { /* model: clear flock */
        if
        :: (flocked[ino] & ~BIT(me)) == 0 -> flocked[ino] = BIT(me); ok = 0
        :: else -> ok = 1
        fi
    };
    reads();
    atomic { /* model: clear decide */
        decide(ok);
        NOT_OVERLOOKED;
        busy = (busy || who != 0);
        d_step { rp = 0; rs = 0; lived = 0; who = 0; ok = 0 };
        if
        :: busy -> jp = 0
        :: else
        fi
    };
    if
    :: !busy && jp != 0 ->
        atomic { /* model: clear same */
            ok = (pidfile == jp);
            jp = 0
        };
        if
        :: ok -> d_step { pidfile = 0; ok = 0 } /* model: clear remove */
        :: else
        fi
    :: else
    fi;
    if
    :: !busy ->
        state = 0 /* model: clear state */
    :: else
    fi
}

/* ---- Stopping: pin, signal, wait ---------------------------------------------------------- */

/* The lock is asked for first, and the claim byte of a restart is no claim of somebody else's. */
inline looks_settled(is_ours)
{
    do
    :: true ->
        atomic { /* model: ask life */
            ask = lock;
            ok = 0;
            if
            :: ask != 0 && (flocked[ask] & ~PROBES) -> ok = 1; ask = 0
            :: ask != 0 && !(flocked[ask] & ~PROBES) -> opened[ask] = opened[ask] | BIT(me + 4)
            :: else
            fi
        };
        if
        :: ask != 0 ->
            d_step { /* model: ask claim */
                ok = (byted[ask] != 0 && !(is_ours && byted[ask] == me + 1));
                opened[ask] = opened[ask] & ~BIT(me + 4);
                ask = 0
            }
        :: else
        fi;
        reads();
        atomic { /* model: stop pin */
#ifdef TRUST_PIDFILE /* the lock is held, so the pidfile's number must be the owner's */
            if
            :: ok && rp != 0 -> who = alive[PID(rp)]; busy = (who == 0)
            :: else -> decide(ok)
            fi;
#else
            decide(ok);
            NOT_OVERLOOKED;
#endif
            is_supervised = (who != 0 && OWNER_LIVES(rs) && rs >= NAMED);
            is_orphaned = (who != 0 && !OWNER_LIVES(rs) && SERVER_LIVES(rs));
#ifdef CHECK_FIRST
            tmp = (who != 0 -> gpid[who] : 0);
#endif
            d_step { rp = 0; rs = 0; lived = 0; ok = 0 };
            if
            :: !busy -> break
            :: busy && !LIVE /* for a moment; then whoever asked gives up */
            :: busy -> break
            fi
        }
    od;
#ifdef CHECK_FIRST
    atomic {
        if
        :: tmp != 0 -> who = alive[tmp]; tmp = 0
        :: else
        fi
    }
#endif
}

/* who: pinned, so that no other is meant by it. */
inline ends_process()
{
    if
    :: who != 0 ->
        d_step { /* model: stop signal */
            if
            :: ISALIVE(who) -> assert(ours & BIT(who)); term = term | BIT(who) /* no wrong kill */
            :: else
            fi
        };
        if
        :: atomic { !ISALIVE(who) -> who = 0 } /* model: stop wait */
        :: atomic { KILL && ISALIVE(who) -> killed = killed | BIT(who) }; /* model: stop kill */
           atomic { !ISALIVE(who) -> who = 0 }
        fi
    :: else
    fi
}

/*
 * -> busy: nobody can say who it is. A supervisor that was killed leaves a server which lives on: a
 * second look asks for that (round 1), and it is stopped like the first (round 2).
 */
inline stops(is_ours)
{
    do
    :: true ->
        looks_settled(is_ours);
        if
        :: round == 1 && is_orphaned -> d_step { round = 2; who = 0 } /* model: stop orphan */
        :: round == 1 && !is_orphaned -> d_step { busy = 0; who = 0 }; break
        :: round != 1 ->
            ends_process();
            if
            :: round == 0 && is_supervised && !busy -> round = 1
            :: else -> break
            fi
        fi
    od;
    atomic { is_supervised = 0; is_orphaned = 0; busy = (round == 0 && busy); round = 0 }
}

/* ---- The actors -------------------------------------------------------------------------- */

#define QUIET  (((gone | served) & 7) == 7)
#define GRACEFUL ((served & BIT(me)) && (kind == LOCKED || kind == SUP))
#define ENDED  ((dying & BIT(me)) || (killed & BIT(g)) || ((term & BIT(g)) && !GRACEFUL))
#define PATIENT (!LIVE || me == 2 || me == FIN)
#define IMPATIENT (me != FIN && !(LIVE && me == 2))
#define LOCK_IN_PLACE (lock == ino && (flocked[ino] & BIT(me)))

#define LOCALS \
    byte ino, jp, js, rp, rs, who, mine, tmp, ask, lived, round; \
    bool published, busy, ok, is_supervised, is_orphaned

inline forgets()
{
    if
    :: ino != 0 -> closes(ino)
    :: else
    fi;
    if
    :: ask != 0 -> opened[ask] = opened[ask] & ~BIT(me + 4)
    :: else
    fi;
    jp = 0; js = 0; rp = 0; rs = 0; who = 0; mine = 0; tmp = 0; ask = 0; lived = 0;
    round = 0; published = 0; busy = 0; ok = 0; MADE(0); is_supervised = 0; is_orphaned = 0;
    gone = gone | BIT(me);
    served = served & ~BIT(me)
}

/* A supervisor's server; and, of actor FIN, the one that was there before. */
proctype server(byte me; byte g; byte boss)
{
    byte tmp;

    if
    :: me == FIN || (go & BIT(me)) ->
        if
        :: (term | killed) & BIT(g)
        :: atomic { crashes < CR -> crashes++ }
        :: QUIET && !ISALIVE(boss)
        fi
    :: me != FIN && !(go & BIT(me)) && !ISALIVE(boss) /* model: supervise eof */
    fi;
    atomic {
        assert(me != FIN || EXCUSED || !QUIET || crashes || ((term | killed) & BIT(g))
               || (GEN(pidfile) == g && GEN(state) == g)); /* its files are still its own */
        is_no_owner(g);
        dies(g, SERVERS(me))
    }
}

proctype claims(byte me; byte kind; bool restarts)
{
    byte g, p, sg, version;
    LOCALS;
#ifdef OEXCL
    bool made;
#endif

    {
        if
        :: restarts
        :: else -> starts()
        fi;
#ifdef LOCK_FREE
        atomic {
            if
            :: kind == WRITE && pidfile == 0 ->
                mine = g;
                pidfile = mine;
                state = g;
                becomes_owner();
                goto serves
            :: else
            fi
        };
#endif
claim:
        opens();
#ifdef OEXCL /* it must be new: then it is ours */
        atomic {
            if
            :: made -> byted[ino] = me + 1
            :: else -> closes(ino); goto refused
            fi
        };
#endif
        atomic { /* model: claim 1 byte */
            if
            :: byted[ino] == 0 || byted[ino] == me + 1 -> byted[ino] = me + 1
            :: else -> closes(ino)
            fi
        };
        if
        :: ino == 0 && LIVE ->
            if
            :: g != 0 -> /* model: claim 1 owner */
                reads();
                atomic { decide(1); rp = 0; rs = 0; lived = 0; busy = 0 }
            :: else
            fi;
            if
            :: who != 0 -> goto refused
            :: who == 0 && PATIENT -> goto claim
            :: who == 0 && IMPATIENT -> goto refused
            fi
        :: ino == 0 && !LIVE -> /* whether an owner is seen, or the time is over */
            if
            :: goto claim
            :: IMPATIENT -> goto refused
            fi
        :: else
        fi;
#ifndef NO_INODE
        atomic { /* model: claim 1 place */
            if
            :: lock == ino
            :: else -> closes(ino); goto claim
            fi
        };
#endif
#if HAS_RESTART
        if
        :: restarts && g == 0 ->
            stops(true);
            if
            :: busy -> goto refused
            :: else
            fi;
            clears();
            if
            :: busy -> goto refused
            :: else -> starts() /* model: restart fork */
            fi
        :: else
        fi;
#endif

take:
        atomic { /* model: claim 2 flock */
            if
            :: (flocked[ino] & ~BIT(me)) == 0 -> flocked[ino] = BIT(me); ok = 1
            :: else -> ok = 0
            fi
        };
        if
        :: !ok && LIVE ->
            reads();
            atomic { decide(1); rp = 0; rs = 0; lived = 0; busy = 0 }; /* model: claim 2 owner */
            if
            :: who != 0 -> goto refused
            :: who == 0 && PATIENT -> goto take
            :: who == 0 && IMPATIENT -> goto refused
            fi
        :: !ok && !LIVE ->
            if
            :: goto take
            :: IMPATIENT -> goto refused
            fi
        :: else
        fi;
#ifndef NO_INODE
        atomic { /* model: claim 2 place */
            ok = 0;
            if
            :: lock == ino
            :: else -> closes(ino); goto claim
            fi
        };
#endif

judge:
#ifndef LATE_STATE
        js = state; /* model: claim 3 state */
#endif
        jp = pidfile; /* model: claim 3 pidfile */
        reads();
        atomic { /* model: claim 3 decide */
            decide(0);
            NOT_OVERLOOKED;
#if !defined(JUDGED_UNSEEN) && !defined(LATE_STATE)
            ok = ((rp == jp || rp == 0) && (rs == js || rs == 0)); /* model: claim 3 same */
#endif
            d_step { rp = 0; rs = 0; lived = 0; busy = 0 };
            if
            :: who != 0 -> jp = 0; js = 0; ok = 0; goto refused
#if !defined(JUDGED_UNSEEN) && !defined(LATE_STATE)
            :: who == 0 && !ok -> jp = 0; js = 0; goto judge
#endif
            :: else -> ok = 0
            fi
        };
        d_step { /* model: claim 3 aside */
            version = version ^ NAMED;
            new_state[ino] = g;
            new_pidfile[ino] = g | version
        };
#ifdef LATE_STATE
        js = state;
#endif
        publishes(pidfile, new_pidfile[ino], jp, (g | version)); /* model: claim 4 */
        if
        :: !ok -> goto again
        :: else
        fi;
        publishes(state, new_state[ino], js, g); /* model: claim 5 */
        if
        :: !ok -> unpublishes(pidfile, new_pidfile[ino], jp); goto again
        :: else
        fi;
        d_step { /* model: claim 5 tidy */
            mine = g | version;
            new_pidfile[ino] = 0;
            new_state[ino] = 0;
            published = 1;
            jp = 0;
            js = 0;
            ok = 0
        };
        atomic {
#if !defined(NO_FINAL) && !defined(NO_INODE)
            if
            :: lock == ino /* model: claim 6 place */
            :: else -> closes(ino); goto claim
            fi;
#endif
            becomes_owner()
        };
        if
#if HAS(WRITE)
        :: kind == WRITE -> ends_lock()
#endif
#if HAS(FREE)
        :: kind == FREE ->
#ifdef LATE_UNLINK
            d_step { byted[ino] = 0 };
            lock = 0;
#else
            ok = (lock == ino);
            d_step {
                if
                :: ok -> unlinks() /* model: free lock */
                :: else
                fi;
                ok = 0
            };
#endif
            d_step { closes(ino) } /* model: free exec */
#endif
        :: else -> d_step { byted[ino] = 0 } /* model: claim 7 */
        fi;
#if HAS(SUP)
        if
        :: kind == SUP ->
            atomic { /* model: supervise fork */
                born(p, sg);
                ours = ours | BIT(sg);
                srv[g] = sg;
                flocked[ino] = flocked[ino] | SERVERS(me);
                run server(me, sg, g)
            };
            new_state[ino] = g | NAMED;
            d_step { state = new_state[ino]; new_state[ino] = 0 }; /* model: supervise name */
            go = go | BIT(me) /* model: supervise go */
        :: else
        fi;
#endif

serves:
        if
        :: (term & BIT(g)) && GRACEFUL
        :: QUIET ->
            assert(EXCUSED || (pidfile == mine && GEN(state) == g)); /* its files are its own */
            assert((removed & 1) || kind == FREE || kind == WRITE || LOCK_IN_PLACE);
            assert(me != FIN || (new_state[ino] == 0 && new_pidfile[ino] == 0))
        :: kind == SUP && !ISALIVE(sg)
        :: kind == LOCKED /* its own end */
        :: atomic { crashes < CR && kind != SUP && kind != LOCKED -> crashes++ }
        fi;
        if
#if HAS(SUP)
        :: kind == SUP ->
            term = term | BIT(sg); /* model: supervise stop */
            !ISALIVE(sg);
            new_state[ino] = g;
            d_step { state = new_state[ino]; new_state[ino] = 0 } /* model: supervise ended */
#endif
        :: kind == LOCKED
        :: else -> goto dead
        fi;
        atomic { is_no_owner(g); goto ends };

again:
        atomic { new_pidfile[ino] = 0; new_state[ino] = 0; jp = 0; js = 0; ok = 0 }; /* model: claim 4 again */
        goto judge;

refused:
        assert(me != FIN && !(LIVE && me == 2 && who == 0)); /* who comes when all are gone gets in */
ends:
        if
        :: published -> removes_published()
        :: else
        fi;
        ends_lock();
dead:
        skip
    } unless { ENDED };
    atomic {
        if
        :: kind == SUP && (go & BIT(me)) && ISALIVE(sg) && owner == g -> owner = sg /* it lives on */
        :: else -> is_no_owner(g)
        fi;
        if
        :: g != 0 -> dies(g, BIT(me))
        :: else
        fi;
        forgets();
        g = 0; p = 0; sg = 0; version = 0
    }
}

#if HAS(STOP)
proctype stopper(byte me)
{
    byte g, kind, p, sg;
    LOCALS;
#ifdef OEXCL
    bool made;
#endif

    {
        stops(false);
        if
        :: busy -> goto dead
        :: else
        fi;
claim:
        opens();
        atomic {
            if
            :: byted[ino] == 0 -> byted[ino] = me + 1
            :: else -> closes(ino)
            fi
        };
        if
        :: ino == 0 && PATIENT -> goto claim
        :: ino == 0 -> goto dead
        :: else
        fi;
#ifndef NO_INODE
        atomic {
            if
            :: lock == ino
            :: else -> closes(ino); goto claim
            fi
        };
#endif
        clears();
        ends_lock();
        if
        :: busy && PATIENT -> goto claim
        :: true
        fi;
dead:
        skip
    } unless { ENDED };
    atomic { forgets() }
}
#endif

/* A foreign flock(1) on the file. */
proctype probe(byte me)
{
    byte ino;

    atomic {
        ino = lock;
        if
        :: ino != 0 && flocked[ino] == 0 -> flocked[ino] = PROBES
        :: else -> goto out
        fi
    };
    flocked[ino] = flocked[ino] & ~PROBES;
out:
    atomic { ino = 0; gone = gone | BIT(me) }
}

/* Crashes, an administrator, reuse, leftovers that end. */
active proctype world()
{
    byte p;

end:
    do
    :: atomic { crashes < CR && !((gone | dying) & 1) -> crashes++; dying = dying | 1 }
    :: atomic { crashes < CR && !((gone | dying) & 2) -> crashes++; dying = dying | 2 }
    :: atomic { crashes < CR && !((gone | dying) & 4) -> crashes++; dying = dying | 4 }
    :: atomic { rms < RM && (RMS & 1) && gone != 7 && lock != 0 -> rms++; removed = removed | 1; lock = 0 }
    :: atomic { rms < RM && (RMS & 2) && gone != 7 && pidfile != 0 -> rms++; removed = removed | 2; pidfile = 0 }
    :: atomic { rms < RM && (RMS & 4) && gone != 7 && state != 0 -> rms++; removed = removed | 4; state = 0 }
    :: atomic {
        reused < REUSE && freed != 0 && alive[freed] == 0 ->
            reused++;
            gens++;
            gpid[gens] = freed;
            alive[freed] = gens
       }
    :: atomic {
        left != 0 ->
            p = 1;
            do
            :: p < NI -> flocked[p] = flocked[p] & ~left; p++
            :: else -> break
            od;
            p = 0;
            left = 0
       }
    od
}

inline acts(i, role)
{
    if
#if HAS(STOP)
    :: role == STOP -> run stopper(i)
#endif
    :: role == PROBE -> run probe(i)
    :: role == NONE -> gone = gone | BIT(i)
    :: role > RESTART && role < STOP -> run claims(i, role - RESTART, true)
    :: role > 0 && role < RESTART -> run claims(i, role, false)
    fi
}

init
{
    atomic {
        if
        :: OLD != 0 ->
            gens = 1;
            gpid[1] = 1;
            ours = ours | BIT(1);
            pidfile = 1;
            state = 1;
            if
            :: OLD != 3 -> lock = 1
            :: else
            fi;
            if
            :: OLD >= 2 ->
                alive[1] = 1;
                lives = 1;
                owner = 1;
                owners = 1;
                run server(FIN, 1, 0)
            :: else -> freed = 1
            fi;
            if
            :: OLD == 2 -> flocked[1] = OLDS
            :: else
            fi
        :: else
        fi;
        acts(0, A0);
        acts(1, A1);
        acts(2, A2)
    };
    atomic { gone == 7 && lives == 0 -> run claims(FIN, EXEC, false) }
}

#if LIVE
/* Under weak fairness: in the end it lives, or was refused for one that lives (see refused). */
ltl comes_to_an_end { <> (((gone | served) & 4) != 0) }
#endif

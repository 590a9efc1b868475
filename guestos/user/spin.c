/* SPDX-License-Identifier: MIT */
/*
 * spin [SECONDS]: compute without pause, for ever or so long, and check the result.
 *
 * A round walks a table of pseudo-random words and sums it, integer and floating point; each round
 * must give the same known sums. Every second or so it says how many rounds were done. A wrong sum
 * is reported and ends it with status 1: a neighbour, or a task switch, has disturbed it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    TABLE_WORDS = 4096,
    ROUNDS_BETWEEN_LOOKS = 16,
};

#define EXPECTED_SUM 0x2961ce74782b5f06ULL
#define EXPECTED_REALS 27184150.51454225

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A linear congruential generator (Knuth's MMIX constants). */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state;
}

static void round_of_work(uint64_t *sum, double *reals)
{
    static uint64_t table[TABLE_WORDS];
    uint64_t state = 1;

    *sum = 0;
    *reals = 0.0;
    for (unsigned i = 0; i < TABLE_WORDS; i++)
        table[i] = next_random(&state);
    for (unsigned i = 0; i < TABLE_WORDS; i++) {
        uint64_t word = table[(i * 997u) % TABLE_WORDS];

        *sum = (*sum << 7 | *sum >> 57) ^ word;
        *reals = *reals * 0.5 + (double)(word >> 40);
    }
}

int main(int argc, char **argv)
{
    double limit = argc > 1 ? atof(argv[1]) : 0.0;
    double start = seconds_now();
    double reported = start;
    unsigned long rounds = 0;

    for (;;) {
        double now;

        for (unsigned i = 0; i < ROUNDS_BETWEEN_LOOKS; i++) {
            uint64_t sum;
            double reals;

            round_of_work(&sum, &reals);
            rounds++;
            if (sum != EXPECTED_SUM || reals != EXPECTED_REALS) {
                printf("spin: %lu rounds, sum WRONG: %016llx %.17g\n", rounds,
                       (unsigned long long)sum, reals);
                return 1;
            }
        }
        now = seconds_now();
        if (limit > 0 && now - start >= limit)
            break;
        if (now - reported >= 1.0) {
            printf("spin: %lu rounds, sum OK\n", rounds);
            fflush(stdout);
            reported = now;
        }
    }
    printf("spin: %lu rounds, sum OK\n", rounds);
    return 0;
}

// The least that an iteration of a serving schedule can cost: what the simulator's own loop is held against.
//
// A batch of decoding sequences is kept as running sums. An iteration prices the batch by a table over (sequences,
// context), interpolated both ways; moves the clock; writes a record; takes those whose last token falls due out of a
// ring; and lets as many new sequences in, so that the batch stays as large as it was.
//
// It leaves out what the simulator also does: prompts in chunks or groups of layers, a scheduler to ask, KV blocks and
// preemption, a cost for each kernel, energy and bytes, experts and their routing, each request's own latencies, the
// percentiles of gaps, checks of integer overflow and of bounds, and all output.
//
// usage: loop BATCH ITERATIONS [OUTPUT-TOKENS]
// prints nanoseconds per iteration, and a sum over the records, so that nothing can be optimised away
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RING = 1 << 14, RECORDS = 1 << 12, ROWS = 33, COLUMNS = 65, PROMPT = 16 };

typedef struct {
  int64_t index;
  double start, end;
  int32_t decodes, ended;
  int64_t context;
  double joules, bytes;
} Record;

typedef struct {
  double seconds, joules;
} Price;

static Price table[ROWS][COLUMNS];
static int32_t due[RING];
static int64_t due_context[RING];
static Record records[RECORDS];

static double blend(double a, double b, double share) { return a + (b - a) * share; }

static Price price(int64_t sequences, int64_t context) {
  double y = (double)sequences / 16, x = (double)context / 16384;
  int row = (int)y, column = (int)x;
  if (row > ROWS - 2) row = ROWS - 2;
  if (column > COLUMNS - 2) column = COLUMNS - 2;
  y -= row;
  x -= column;
  const Price *low = &table[row][column], *high = &table[row + 1][column];
  Price result = {blend(blend(low[0].seconds, low[1].seconds, x), blend(high[0].seconds, high[1].seconds, x), y),
                  blend(blend(low[0].joules, low[1].joules, x), blend(high[0].joules, high[1].joules, x), y)};
  return result;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: loop BATCH ITERATIONS [OUTPUT-TOKENS]\n");
    return 64;
  }
  int64_t batch = atoll(arguments[1]), iterations = atoll(arguments[2]);
  int64_t output = count > 3 ? atoll(arguments[3]) : 1000;
  if (batch < 1 || iterations < 1 || output < 1 || output >= RING / 2) {
    fprintf(stderr, "loop: a batch, iterations and 1 to %d output tokens are needed\n", RING / 2 - 1);
    return 64;
  }
  for (int row = 0; row < ROWS; row++)
    for (int column = 0; column < COLUMNS; column++) {
      table[row][column].seconds = 5e-3 + 2e-4 * row + 1e-4 * column;
      table[row][column].joules = 2 + 0.1 * row + 0.2 * column;
    }
  int64_t context = 0;
  for (int64_t i = 0; i < batch; i++) {  // the batch as it stands after a while: its ends lie spread out
    int64_t left = 1 + i * output / batch;
    due[left]++;
    due_context[left] += PROMPT + output;
    context += PROMPT + output - left;
  }

  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  double now = 0;
  for (int64_t step = 1; step <= iterations; step++) {
    Price cost = price(batch, context + batch);
    Record *record = &records[step & (RECORDS - 1)];
    record->index = step;
    record->start = now;
    now += cost.seconds;
    record->end = now;
    record->decodes = (int32_t)batch;
    record->context = context;
    record->joules = cost.joules;
    record->bytes = 1e9 + 4096.0 * (double)context;
    context += batch;
    int64_t slot = step & (RING - 1);
    int32_t ended = due[slot];
    record->ended = ended;
    if (ended) {
      context -= due_context[slot];
      due[slot] = 0;
      due_context[slot] = 0;
      int64_t next = (step + output) & (RING - 1);
      due[next] += ended;
      due_context[next] += (PROMPT + output) * ended;
      context += (int64_t)PROMPT * ended;
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &end);

  double sum = 0;
  for (int i = 0; i < RECORDS; i++) sum += records[i].end + records[i].joules + records[i].bytes + records[i].ended;
  double ns = 1e9 * (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec);
  printf("%.3f %.6g\n", ns / (double)iterations, sum);
  return 0;
}

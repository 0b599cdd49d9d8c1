// Tests of everything that needs neither GPU nor CUDA: the command line, the resumable table, the sweeps, the routing, and the
// references themselves against identities that they must keep.
#include <cstdio>

#include "options.hpp"
#include "plans.hpp"
#include "reference.hpp"
#include "sweep.hpp"
#include "table.hpp"

using namespace harness;

static int failures = 0;
#define EXPECT(x)                                                        \
  do {                                                                   \
    if (!(x)) {                                                          \
      std::printf("%s:%d: expected %s\n", __FILE__, __LINE__, #x);       \
      ++failures;                                                        \
    }                                                                    \
  } while (0)

static bool near(double a, double b, double tolerance = 1e-12) { return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b)); }

template <class Body> static std::string message(Body body) {
  try {
    body();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

static void command_line() {
  const Options d = parse({"out.csv"});
  EXPECT(d.output == "out.csv" && d.models.size() == 2 && d.tp == (std::vector<int>{1, 2}) && !d.quick && d.energy_ms == 400);
  const Options o = parse({"--quick", "--models=qwen3-8b", "--tp", "2,4", "--deadline", "60.5", "--kernels", "sampling,rms_norm", "x"});
  EXPECT(o.quick && o.models.size() == 1 && o.models[0].name == std::string("qwen3-8b") && o.tp == (std::vector<int>{2, 4}));
  EXPECT(o.deadline_s == 60.5 && o.kernels.count("rms_norm") && o.kernels.size() == 2);
  EXPECT(parse({"--iterations", "x"}).tp == std::vector<int>{1});
  EXPECT(parse({"--help"}).help && parse({"--list"}).list);
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{
           {}, {"a", "b"}, {"--nope", "a"}, {"--tp", "3", "a"}, {"--tp", "two", "a"}, {"--tp", "a"}, {"--models", "gpt-5", "a"},
           {"--models", "", "a"}, {"--deadline"}, {"--deadline", "-1", "a"}, {"--deadline", "nan", "a"}, {"--kernels", "gemm", "a"},
           {"--quick=yes", "a"}, {"--page", "48", "a"}, {"--plans", "p.csv", "a"}, {"--iterations", "--kernels", "sampling", "a"},
           {"--energy-ms", "10", "a"}, {"-x", "a"}}) {
    bool usage = false;
    try {
      parse(bad);
    } catch (const UsageError& e) {
      usage = std::string(e.what()).find('\n') == std::string::npos;
    }
    EXPECT(usage);
  }
}

static std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

static void tables(const std::string& path) {
  std::remove(path.c_str());
  const Table::Provenance here{{"gpu", "A"}, {"date", "today"}}, later{{"gpu", "A"}, {"date", "tomorrow"}}, other{{"gpu", "B"}};
  {
    Table t(path, "a,b,value", 2, here, {"gpu"});
    EXPECT(!t.has("1,2"));
    t.append("1,2,0.5");
    t.append("1,3,");
    EXPECT(t.has("1,2") && t.has("1,3") && !t.has("1,4") && t.rows() == 2);
    EXPECT(contents(path) == "# gpu: A\n# date: today\na,b,value\n1,2,0.5\n1,3,\n");  // flushed while still open
  }
  {  // a run that was killed in the middle of a row
    std::ofstream(path, std::ios::app) << "1,4,0.";
    Table t(path, "a,b,value", 2, later, {"gpu"});
    EXPECT(t.has("1,2") && t.has("1,3") && !t.has("1,4"));
    t.append("1,4,0.25");
  }
  EXPECT(contents(path) == "# gpu: A\n# date: today\na,b,value\n1,2,0.5\n1,3,\n1,4,0.25\n");
  EXPECT(message([&] { Table(path, "a,b,value", 2, other, {"gpu"}); }).find("gpu 'A'") != std::string::npos);
  EXPECT(message([&] { Table(path, "a,b,c", 2, here, {"gpu"}); }).find("other columns") != std::string::npos);
  std::ofstream(path) << "# gpu: A\na,b";  // cut before the header was complete: begun anew
  { Table(path, "a,b,value", 2, here, {"gpu"}).append("9,9,9"); }
  EXPECT(contents(path) == "# gpu: A\n# date: today\na,b,value\n9,9,9\n");
  EXPECT(!message([&] { Table("/nonexistent/x.csv", "a", 1, here, {}); }).empty());
  std::remove(path.c_str());
}

static long fields(const std::string& row) { return 1 + std::count(row.begin(), row.end(), ','); }

static void rows() {
  Key k;
  k.kernel = "idle";
  Sample s;
  s.watts = 100, s.energy = true;
  const long columns = fields(kKernelColumns);
  EXPECT(columns == 29 && fields(kernel_row(k, s)) == columns && fields(identity(k)) == kKernelKeyColumns);
  s.burst_us = 1;
  EXPECT(fields(kernel_row(k, s)) == columns);
  s.energy = false;
  EXPECT(fields(kernel_row(k, s)) == columns);
  EXPECT(fields(kIterationColumns) == 19 && fields(kPlanColumns) == kIterationKeyColumns);
  EXPECT(std::string(kIterationColumns).rfind(kPlanColumns, 0) == 0 && fields(identity(Plan{})) == kIterationKeyColumns);
}

static void routing() {
  for (double skew : {0.0, 1.0, 3.0})
    for (long tokens : {1L, 2L, 16L, 257L, 8192L})
      for (long active : {8L, 16L, 64L, 128L}) {
        if (tokens * 8 < active) continue;
        const auto rows = route(tokens, 8, 128, active, skew, 1);
        EXPECT(std::accumulate(rows.begin(), rows.end(), 0L) == tokens * 8);
        EXPECT(std::count_if(rows.begin(), rows.end(), [](int r) { return r > 0; }) == active);
        EXPECT(largest(rows) <= tokens);
      }
  EXPECT(largest(route(1024, 8, 128, 128, 0, 1)) == 64);
  EXPECT(largest(route(1024, 8, 128, 128, 1, 1)) > 500);
  EXPECT(route(64, 4, 32, 16, 1, 5) == route(64, 4, 32, 16, 1, 5));
  EXPECT(!message([] { route(1, 8, 128, 16, 0, 1); }).empty());
}

static void sweeps() {
  const std::vector<Model> all(kModels.begin(), kModels.end());
  const Sweep quick(all, {1, 2}, true, {}, 1), full(all, {1, 2}, false, {}, 2);
  std::set<std::string> kernels, seen;
  for (const Key& k : full.keys()) {
    EXPECT(seen.insert(identity(k)).second);
    EXPECT(k.bytes > 0 && k.flops >= 0 && k.tp >= 1);
    kernels.insert(k.kernel);
  }
  for (const char* name : kKernelNames) EXPECT(kernels.count(name));
  EXPECT(kernels.size() == std::size(kKernelNames));
  EXPECT(quick.keys().size() * 4 < full.keys().size());
  for (const Key& k : quick.keys()) EXPECT(seen.count(identity(k)) && k.kernel != "all_reduce");
  // By hand: Qwen's QKV at 16 tokens, and its gate-up over 8 active experts.
  const Shapes qwen(kModels[0], 1);
  const Key qkv = qwen.gemm("qkv_gemm", 16, qwen.shard.qkv_width(), 2048);
  EXPECT(qkv.n == 5120 && qkv.flops == 2. * 16 * 5120 * 2048 && qkv.bytes == 2. * (16 * 2048 + 5120 * 2048 + 16 * 5120));
  const Key up = qwen.grouped("expert_gate_up", 1, 8, 0, 16);
  EXPECT(up.n == 1536 && up.k == 2048 && up.max_per_expert == 1 && up.bytes == 2. * (8. * 1536 * 2048 + 8 * (1536 + 2048)));
  const Key chunk = qwen.attention("prefill_attention", "cudnn_paged", 1, 512, 2048, 0);
  EXPECT(chunk.flops == 4. * 32 * 128 * (512. * 1536 + 512. * 513 / 2));
  const Key window = Shapes(kModels[1], 2).attention("decode_attention", "cudnn_paged", 4, 1, 4096, 128);
  EXPECT(window.heads == 32 && window.kv_heads == 4 && window.flops == 4. * 4 * 32 * 64 * 128);
  EXPECT(window.bytes == 2. * 4 * 64 * (2 * 32 + 2. * 128 * 4));
}

static void plans(const std::string& path) {
  for (bool quick : {true, false}) {
    const PlanList list({kModels.begin(), kModels.end()}, {1}, quick);
    std::set<std::string> kinds;
    for (const Plan& p : list.plans()) {
      EXPECT(message([&] { validate(p); }).empty());
      kinds.insert(p.kind);
    }
    EXPECT(kinds.size() == 3);
    std::ofstream out(path);
    out << "# any: thing\n" << kIterationColumns << "\n";
    for (const Plan& p : list.plans()) out << identity(p) << ",1,2,3,4,5,6,7,8\n";
    out.close();
    const auto back = read_plans(path);
    EXPECT(back.size() == list.plans().size());
    for (std::size_t i = 0; i < back.size(); ++i) EXPECT(identity(back[i]) == identity(list.plans()[i]));
  }
  auto group = [](long layers, long groups, long index) {
    Plan p;
    p.layers = layers;
    set_group(p, groups, index);
    return std::pair(p.layer_begin, p.layer_end);
  };
  EXPECT(group(48, 16, 0) == std::pair(0L, 3L) && group(48, 16, 15) == std::pair(45L, 48L));
  EXPECT(group(36, 16, 0) == std::pair(0L, 3L) && group(36, 16, 4) == std::pair(12L, 14L) && group(36, 16, 15) == std::pair(34L, 36L));
  std::ofstream(path) << kPlanColumns << "\nlayered,qwen3-30b-a3b,1,16,1024,8192,0,45,49,48,0\n";
  EXPECT(message([&] { read_plans(path); }).find("no such layers") != std::string::npos);
  std::ofstream(path) << "";
  EXPECT(message([&] { read_plans(path); }).find("must begin with") != std::string::npos);
  std::ofstream(path) << "kind,model\n";
  EXPECT(message([&] { read_plans(path); }).find("must begin with") != std::string::npos);
  std::remove(path.c_str());
}

static void references() {
  using namespace reference;
  EXPECT(from_bf16(0x3f80) == 1 && from_bf16(0xc000) == -2 && std::isnan(from_bf16(0xffff)));
  const Row x{1, -2, 3, 0.5}, one(4, 1.0);
  const Row normed = rms_norm(x, one);
  EXPECT(near(dot(normed, normed), 4, 1e-5));
  EXPECT(rope(x, 0, 1e4) == x);
  EXPECT(near(dot(rope(x, 1234, 1e4), rope(x, 1234, 1e4)), dot(x, x)));
  // The product of two rotated rows depends on the distance of their positions alone.
  const Row y{0.3, 1, -1, 2};
  EXPECT(near(dot(rope(x, 105, 1e4), rope(y, 100, 1e4)), dot(rope(x, 5, 1e4), y)));
  // One key: its value. Equal keys: the mean of their values. A window: those inside alone.
  const Row k{1, 2, 1, 2, 1, 2}, v{1, 0, 3, 4, 5, 8};
  EXPECT(attention({7, 7}, k, v, 0, 1) == (Row{1, 0}));
  const Row mean = attention({7, 7}, k, v, 0, 3), tail = attention({7, 7}, k, v, 1, 3);
  EXPECT(near(mean[0], 3) && near(mean[1], 4) && near(tail[0], 4) && near(tail[1], 6));
  const Choice c = topk({0, 5, 1, 5, 3}, 3);
  EXPECT(c.expert == (std::vector<int>{1, 3, 4}) && near(c.weight[0], c.weight[1]) && near(c.weight[0] + c.weight[1] + c.weight[2], 1));
  EXPECT(near(c.weight[2] / c.weight[0], std::exp(-2.0)));
  EXPECT(silu_mul({0, 100}, {5, 2}) == (Row{0, 200}));
  Error e;
  e.compare(Row{3, 4}, Row{3, 5});
  EXPECT(near(e.value(), 1 / std::sqrt(34)));
  e.compare(NAN, 1.0);
  EXPECT(std::isinf(e.value()) && std::isinf(Error().value()));
  Error ids;
  ids.exact(3, 3);
  EXPECT(ids.value() == 0);
  ids.exact(3, 4);
  EXPECT(std::isinf(ids.value()));
}

int main(int, char** arguments) {
  const std::string path = std::string(arguments[0]) + ".tmp.csv";
  command_line();
  tables(path);
  rows();
  routing();
  sweeps();
  plans(path);
  references();
  if (failures) std::printf("selftest: %d failures\n", failures);
  else std::printf("selftest: passed\n");
  return failures != 0;
}

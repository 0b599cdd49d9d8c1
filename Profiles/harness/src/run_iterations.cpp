#include <optional>

#include "bench.hpp"
#include "decoder.hpp"
#include "decoder_check.hpp"
#include "run.hpp"

namespace harness {
namespace {

std::string iteration_row(const Plan& p, long experts, const Sample& t) {
  return identity(p) + format(",%ld,%.9g,%.3g", experts, t.burst_us * 1e-6, t.spread_us * 1e-6) +
         energy_fields(t, t.sustained_us * 1e-6, ",%.9g");
}

}  // namespace

int run_iterations(const Options& options, const Table::Provenance& provenance, Timer& timer) {
  const std::vector<Plan> plans =
      options.plans.empty() ? PlanList(options.models, options.tp, options.quick).plans() : read_plans(options.plans);
  // A decoder that fails is measured all the same, so that the time on the machine is not lost; but the table says so in its
  // header, and the exit status is 1.
  const DecoderVerdict verdict = check_decoder(options.page, timer.stream());
  Table::Provenance header = provenance;
  header.emplace_back("decoder_check", verdict.text());
  Table table(options.output, kIterationColumns, kIterationKeyColumns, header, kMustMatch);
  Progress progress(options, plans.size());
  std::printf("decoder against its reference: %s\n", verdict.text().c_str());
  if (!verdict.passed) progress.wrong("the decoder as a whole differs from its reference");

  std::optional<Weights> weights;  // of one model at a time; plans of one model follow each other
  std::string loaded;
  for (const Plan& plan : plans) {
    if (!progress.next()) break;
    const std::string row = identity(plan);
    if (table.has(row)) {
      progress.skipped();
      continue;
    }
    try {
      const Model& model = *find_model(plan.model);
      const std::string want = plan.model + "/" + std::to_string(plan.tp);
      if (loaded != want) {
        weights.reset();
        loaded.clear();
        weights.emplace(model, plan.tp, timer.stream());
        loaded = want;
      }
      Decoder decoder(model, *weights, plan, options.page, timer.stream());
      decoder.forward();
      if (const auto bad = decoder.bad_values())
        throw Wrong(row + ": " + std::to_string(bad) + " values are not finite after one forward");
      const Sample sample = timer.run([&](int) { decoder.forward(); }, 1, true);
      table.append(iteration_row(plan, decoder.experts_used(), sample));
      progress.done(row, format("  %.3f ms, %.0f W, %ld of %ld caches%s", sample.burst_us * 1e-3, sample.watts, decoder.caches(),
                                plan.layers, decoder.paged() ? "" : ", not paged").c_str());
    } catch (const Unsupported& e) {
      progress.unsupported(row, e.what());
    } catch (const Wrong& e) {
      progress.wrong(e.what());
    } catch (const std::exception& e) {
      progress.failed(row, e.what());
    }
  }
  return progress.finish();
}

}  // namespace harness

// SPDX-License-Identifier: Apache-2.0
// How well the node is, for those who look after it.
#include "agent/blind_spots.hpp"
#include "agent/node.hpp"
#include "record/gap.hpp"

namespace tapio::agent {

void Node::check_readiness() {
  if (!any_observer_on())
    readiness_ = Readiness::blind;
  else
    readiness_ = is_seeded() ? Readiness::ready : Readiness::seeding;
}

ObserverHealth Node::health_of(const Source& source, MonotonicTime now) {
  const auto& descriptor = *source.selected.descriptor;
  Symptoms symptoms{.state = source.state,
                    .reason = source.reason,
                    .asked = source.selected.as == Selected::As::full};
  for (const HookState& hook : hooks()) {
    if (hook.observer != descriptor.name) continue;
    auto sentence = blind_in(hook.observer, hook.hook, hook.program, hook.canary);
    if (!sentence.empty()) symptoms.blind.push_back(std::move(sentence));
  }
  if (auto remark = pipeline_.remark(descriptor.id); remark && remark->degraded)
    symptoms.blind.push_back(std::move(remark->text));
  symptoms.unbalanced = std::ranges::any_of(
      source.books, [](const capture::Balance& book) { return book.residue != 0; });
  symptoms.losing = source.lost_at && now - *source.lost_at < kRemember;
  return judge(symptoms);
}

// Without the lock: who looks after us has to learn that it is never given back.
serve::Health Node::health() {
  const MonotonicTime last = last_pass_;
  if (last != MonotonicTime{} && monotonic_now() - last > kStuck)
    return {.alive = false, .ready = false, .why = "the pipeline has stood still for 10 s"};
  switch (readiness_.load()) {
    case Readiness::starting:
      return {.ready = false, .why = "it starts"};
    case Readiness::seeding:
      return {.ready = false, .why = "what was there before it is not known yet"};
    case Readiness::blind:
      return {.ready = false, .why = "no observer is on"};
    case Readiness::ready:
      return {};
  }
  return {};
}

std::vector<const Schema*> Node::schemas() {
  std::vector<const Schema*> all = {&kGap, &kStorySchema, &kConfigurationChanged, &kBudgetStep};
  for (const Descriptor* observer : observers())
    all.insert(all.end(), observer->schemas.begin(), observer->schemas.end());
  return all;
}

}  // namespace tapio::agent

// SPDX-License-Identifier: Apache-2.0
// What is spared when the node takes more than its budget.
#include <malloc.h>

#include <algorithm>

#include "agent/node.hpp"
#include "agent/own_usage.hpp"
#include "base/log.hpp"

namespace tapio::agent {

namespace {

constexpr std::uint32_t kSample = 10;

// Events of these classes have come out of a hook, or were wanted there.
bool has(const capture::Balance& book, std::initializer_list<tapio_class> classes) {
  return std::ranges::any_of(classes,
                             [&](tapio_class c) { return book.row.classes[c].wanted != 0; });
}

// Once it has told what it has: one that has told nothing stays on.
bool has_only_bulk(const capture::Balance& book) {
  return has(book, {TAPIO_BULK}) && !has(book, {TAPIO_STATE, TAPIO_CRITICAL, TAPIO_NORMAL});
}
bool has_no_more_than_normal(const capture::Balance& book) {
  return has(book, {TAPIO_BULK, TAPIO_NORMAL}) && !has(book, {TAPIO_STATE, TAPIO_CRITICAL});
}

std::uint32_t one_in(Step step, Step sampled, Step counted) {
  if (step >= counted) return capture::Restraint::kCountedOnly;
  return step >= sampled ? kSample : 0;
}

std::uint64_t wanted(const std::vector<capture::Balance>& books, tapio_class c) {
  std::uint64_t sum = 0;
  for (const auto& book : books) sum += book.row.classes[c].wanted;
  return sum;
}

}  // namespace

// A recording has inputs and no budget: a replay would not know what was spared, and when.
void Node::hold_budget(MonotonicTime now) {
  if (recorder_ || finished_) return;
  if (!governor_.has_budget() && governor_.step() == Step::full) return;
  usage_ = read_usage(now);
  const auto change = governor_.on_second(usage_);
  for (Source& source : sources_)
    if (source.programs) restrain(source, governor_.step(), now);
  if (!change) return;
  if (change->why == "memory" || change->after == Step::full) {
    pipeline_.spare_memory(change->after != Step::full);
    ::malloc_trim(0);
  }
  record(*change, usage_);
}

Governor::Usage Node::read_usage(MonotonicTime now) {
  Governor::Usage usage{.time = now, .memory = resident_bytes() + ring_bytes() + map_bytes()};
  auto readings = read_costs(now);
  const auto cpu = cpu_time();
  if (const auto past = now - readings_before_.time; readings_before_.time.count() != 0) {
    const auto spent = cpu - cpu_before_ + costs_.kernel_side(readings_before_, readings);
    usage.cpu = static_cast<double>(spent.count()) / static_cast<double>(past.count());
  }
  std::uint64_t bulk = 0, normal = 0;
  for (const Source& source : sources_) {
    bulk += wanted(source.books, TAPIO_BULK);
    normal += wanted(source.books, TAPIO_NORMAL);
  }
  usage.bulk = bulk != std::exchange(bulk_before_, bulk);
  usage.normal = normal != std::exchange(normal_before_, normal);
  readings_before_ = std::move(readings);
  cpu_before_ = cpu;
  return usage;
}

// Also when nothing has changed: a hook that had told nothing may have by now.
void Node::restrain(Source& source, Step step, MonotonicTime now) {
  capture::Restraint restraint;
  restraint.keep_one_in[TAPIO_BULK] = one_in(step, Step::bulk_sampled, Step::bulk_counted);
  restraint.keep_one_in[TAPIO_NORMAL] = one_in(step, Step::normal_sampled, Step::normal_counted);
  for (std::uint32_t hook = 0; hook < source.books.size(); ++hook) {
    const auto& book = source.books[hook];
    if ((step >= Step::bulk_off && has_only_bulk(book)) ||
        (step >= Step::normal_off && has_no_more_than_normal(book)))
      restraint.off.insert(hook);
  }
  const auto done = source.programs->restrain(restraint);
  if (std::uint64_t unsaid = 0; !done && restrain_log_.due(now, unsaid))
    log::error("observer {}: {} ({} more since the last such line)",
               source.selected.descriptor->name, done.error().what, unsaid);
}

void Node::record(const Governor::Change& change, const Governor::Usage& usage) {
  const auto& budget = governor_.budget();
  log::warning("budget: {} -> {} ({}): {:.1f} % of a CPU, {} bytes", step_name(change.before),
               step_name(change.after), change.why, 100 * usage.cpu, usage.memory);
  pipeline_.emit(kBudgetStep({.time = usage.time}, step_name(change.before),
                             step_name(change.after), change.why, usage.cpu, budget.cpu / 100.0,
                             usage.memory, std::uint64_t{budget.memory.bytes}));
}

}  // namespace tapio::agent

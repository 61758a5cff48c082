// SPDX-License-Identifier: Apache-2.0
#include "agent/governor.hpp"

#include <algorithm>
#include <utility>

namespace tapio::agent {

namespace {

// Of a budget; without one nothing is too much.
double used(double amount, double budget) {
  return budget > 0 ? amount / budget : 0;
}

}  // namespace

std::string_view step_name(Step step) {
  switch (step) {
    case Step::full:
      return "full";
    case Step::bulk_sampled:
      return "bulk_sampled";
    case Step::bulk_counted:
      return "bulk_counted";
    case Step::bulk_off:
      return "bulk_off";
    case Step::normal_sampled:
      return "normal_sampled";
    case Step::normal_counted:
      return "normal_counted";
    case Step::normal_off:
      return "normal_off";
  }
  return "full";
}

std::string_view spared_by(Step step) {
  switch (step) {
    case Step::full:
      return "";
    case Step::bulk_sampled:
      return "to hold its budget the agent takes one in ten of the bulk events";
    case Step::bulk_counted:
      return "to hold its budget the agent only counts bulk events";
    case Step::bulk_off:
      return "to hold its budget the agent has switched hooks of bulk events off";
    case Step::normal_sampled:
      return "to hold its budget the agent takes one in ten of the normal events, and no bulk ones";
    case Step::normal_counted:
      return "to hold its budget the agent only counts normal events, and takes no bulk ones";
    case Step::normal_off:
      return "to hold its budget the agent has switched off all hooks but those of critical events "
             "and of state";
  }
  return "";
}

std::optional<Governor::Change> Governor::on_second(const Usage& usage) {
  const double memory =
      used(static_cast<double>(usage.memory), static_cast<double>(budget_.memory.bytes));
  const double cpu = used(usage.cpu, budget_.cpu / 100.0);
  const double most = std::max(memory, cpu);
  over_ = most > 1 ? over_ + 1 : 0;
  if (most >= kWell || calm_since_ == MonotonicTime{}) calm_since_ = usage.time;
  if (over_ >= pace_.over) {
    const Step to = next(usage);
    if (to == step_) return std::nullopt;
    const bool too_early = went_back_ && usage.time - *went_back_ < calm_;
    calm_ = too_early ? std::min(2 * calm_, pace_.longest_calm) : pace_.calm;
    return take(to, memory > cpu ? "memory" : "cpu", usage.time);
  }
  if (step_ == Step::full || usage.time - calm_since_ < calm_) return std::nullopt;
  went_back_ = usage.time;
  return take(static_cast<Step>(std::to_underlying(step_) - 1), "recovered", usage.time);
}

Step Governor::next(const Usage& usage) const {
  for (auto step = std::to_underlying(step_) + 1; step <= std::to_underlying(Step::normal_off);
       ++step) {
    const bool is_of_bulk = step <= std::to_underlying(Step::bulk_off);
    if (is_of_bulk ? usage.bulk : usage.normal) return static_cast<Step>(step);
  }
  return step_;
}

Governor::Change Governor::take(Step step, std::string_view why, MonotonicTime now) {
  over_ = 0;
  calm_since_ = now;
  return {.before = std::exchange(step_, step), .after = step, .why = why};
}

}  // namespace tapio::agent

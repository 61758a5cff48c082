// SPDX-License-Identifier: Apache-2.0
#include "oom_score_observer.hpp"

#include <cstring>

namespace tapio::oom_score {

namespace {

Origin origin_of(const tapio_event_header& header) {
  return {.time = MonotonicTime(header.time_ns),
          .cgroup_id = header.cgroup_id,
          .pid = header.tgid,
          .tid = header.tid,
          .event_class = static_cast<tapio_class>(header.event_class)};
}

}  // namespace

Status OomScoreObserver::on_sample(const wire::Sample& sample, Output& out) {
  if (sample.header.kind != TAPIO_OOM_SCORE_CHANGED) return invalid("oom_score: unknown kind");
  const auto e = TRY(wire::event<tapio_oom_score_changed>(sample, TAPIO_OOM_SCORE_CHANGED_VERSION));
  const std::string_view name(e.target_comm, ::strnlen(e.target_comm, sizeof e.target_comm));
  out.emit(kChanged(origin_of(e.header), e.target_tgid, out.arena().keep(name), e.adjustment));
  return {};
}

}  // namespace tapio::oom_score

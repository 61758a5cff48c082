// SPDX-License-Identifier: Apache-2.0
#include "dns_library.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>

#include "dns_library.abi.h"
#include "dns_rdata.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {

Result<Call> call_of(const wire::Sample& sample) {
  const auto e = TRY(wire::event<tapio_dns_library>(sample, TAPIO_DNS_LIBRARY_VERSION));
  const Bytes name = TRY(wire::slice(sample, e.name.offset, e.name.size));
  if (e.began_ns > e.header.time_ns) return invalid("dns: a call that ended before it began");
  return Call{.origin = {.time = MonotonicTime(e.header.time_ns),
                         .cgroup_id = e.header.cgroup_id,
                         .pid = e.header.tgid,
                         .tid = e.header.tid,
                         .event_class = static_cast<tapio_class>(e.header.event_class)},
              .began = MonotonicTime(e.began_ns),
              .result = e.result,
              .name = printable(wire::chars(name))};
}

std::string error_name(std::int32_t result) {
  switch (result) {
    case EAI_BADFLAGS:
      return "EAI_BADFLAGS";
    case EAI_NONAME:
      return "EAI_NONAME";
    case EAI_AGAIN:
      return "EAI_AGAIN";
    case EAI_FAIL:
      return "EAI_FAIL";
    case EAI_FAMILY:
      return "EAI_FAMILY";
    case EAI_SOCKTYPE:
      return "EAI_SOCKTYPE";
    case EAI_SERVICE:
      return "EAI_SERVICE";
    case EAI_MEMORY:
      return "EAI_MEMORY";
    case EAI_SYSTEM:
      return "EAI_SYSTEM";
    case EAI_OVERFLOW:
      return "EAI_OVERFLOW";
    default:
      return fmt::format("EAI {}", result);
  }
}

void Library::asked(const Datagram& query) {
  if (query.origin.tid == 0 || !query.was_sent || query.message.is_answer()) return;
  auto& queries = threads_.use(query.origin.tid);
  const bool is_known = std::ranges::any_of(queries, [&](const Query& each) {
    return each.concluded.count() == 0 && each.client == query.client &&
           each.id == query.message.head.id;
  });
  if (is_known) return;  // sent again
  if (queries.size() >= kMaxQueries) queries.pop_front();
  queries.push_back(
      {.asked = query.origin.time, .client = query.client, .id = query.message.head.id});
}

void Library::concluded(const Lookup& lookup) {
  auto* queries = threads_.find(lookup.query.origin.tid);
  if (!queries || lookup.outcome != Outcome::answered) return;
  for (Query& each : *queries)
    if (each.concluded.count() == 0 && each.client == lookup.query.client &&
        each.id == lookup.query.message.head.id)
      each.concluded = lookup.concluded;
}

// Two queries that wait at once wait once: queries stand in the order in which they were asked.
Library::Share Library::on_the_wire(const Call& call) {
  Share share;
  const auto* queries = threads_.find(call.origin.tid);
  if (!queries) return share;
  MonotonicTime covered = call.began;
  for (const Query& each : *queries) {
    if (each.asked < call.began || each.asked > call.origin.time) continue;
    share.queries++;
    const auto end =
        each.concluded.count() == 0 ? call.origin.time : std::min(each.concluded, call.origin.time);
    const auto begin = std::max(covered, each.asked);
    if (end <= begin) continue;
    share.time += end - begin;
    covered = end;
  }
  return share;
}

void Library::judge(const Call& call, const Share& share, RecordId evidence, const Limits& limits,
                    Output& out) {
  if (call.duration() < limits.slow || share.time * 2 >= call.duration()) return;
  const auto now = call.origin.time;
  Streak& slow = processes_.use(call.origin.pid);
  slow.forget_before(now - kWindow);
  slow.add(now, evidence);
  if (slow.count() < limits.calls || !slow.tell(now)) return;
  const auto* process = out.world().process(call.origin.pid);
  const auto who =
      label(process ? std::string_view(process->name) : std::string_view(), call.origin.pid);
  Arena& arena = out.arena();
  Origin origin = call.origin;
  origin.event_class = TAPIO_NORMAL;
  const auto in_seconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  out.emit(kSlowLibrary(
      origin, name(Severity::warning), arena.keep(who),
      arena.keep(fmt::format("getaddrinfo() of {} was slow {} times, and not for DNS: the last one "
                             "took {:.1f} s, of which {:.1f} s on the wire",
                             who, slow.count(), in_seconds(call.duration()),
                             in_seconds(share.time))),
      "Look at what nsswitch.conf has before dns, and at local caches and services that it asks.",
      std::uint64_t{slow.count()}, slow.latest() - slow.first(), slow.evidence(arena), Value{},
      arena.keep(call.name), std::string_view("slow library")));
}

Record record_of(const Call& call, const Library::Share& share, Arena& arena) {
  return kLibraryCall(call.origin, arena.keep(call.name), call.duration(),
                      share.queries ? Value{share.time} : Value{}, share.queries,
                      call.result ? Value{arena.keep(error_name(call.result))} : Value{});
}

}  // namespace tapio::dns

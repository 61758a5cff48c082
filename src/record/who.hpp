// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "record/record.hpp"

namespace tapio {

// Calls visit(key, value) for each of kKeysOfWho that is known of the record and that its schema
// does not declare itself. A value is a std::string_view, a std::uint64_t or, of a flag, true.
template <typename Visit>
void visit_who(const Record& record, Visit&& visit) {
  const auto give = [&](Who who, auto value) {
    const auto index = static_cast<std::size_t>(who);
    if ((record.schema->own_keys >> index & 1) == 0) visit(kKeysOfWho[index], value);
  };
  const auto text = [&](Who who, std::string_view value) {
    if (!value.empty()) give(who, value);
  };
  const auto number = [&](Who who, std::uint64_t value) {
    if (value != 0) give(who, value);
  };
  const Origin& origin = record.origin;
  number(Who::pid, origin.pid);
  if (origin.tid != origin.pid) number(Who::tid, origin.tid);
  if (const Context* context = record.context) {
    number(Who::parent_pid, context->parent_pid);
    text(Who::name, context->process_name);
    text(Who::executable, context->executable);
    text(Who::process_id, context->process_id);
  }
  number(Who::cgroup_id, origin.cgroup_id);
  if (record.context) {
    const Place& place = record.context->place;
    text(Who::container_id, place.container_id);
    text(Who::container_runtime, place.container_runtime);
    text(Who::pod_uid, place.pod_uid);
    text(Who::unit, place.unit);
    text(Who::user_unit, place.user_unit);
    text(Who::cgroup_path, place.cgroup_path);
    text(Who::container_name, place.container_name);
    text(Who::container_image, place.container_image);
    text(Who::pod_name, place.pod_name);
    text(Who::pod_namespace, place.pod_namespace);
  }
  if (record.schema->kind == Kind::event) text(Who::event_class, name(origin.event_class));
  if (origin.order == Order::late) give(Who::late, true);
}

}  // namespace tapio

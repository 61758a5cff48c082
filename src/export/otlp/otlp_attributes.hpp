// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>
#include <string_view>

#include "otlp.pb.h"
#include "record/record.hpp"

// Values of records as OpenTelemetry has them.
namespace tapio::otlp {

using Attributes = google::protobuf::RepeatedPtrField<wire::KeyValue>;

// Where the id of a record is, for who wants to know whether he has it already.
inline constexpr std::string_view kRecordId = "log.record.uid";

// The key of a field: its name; one without a dot is ours, and gets a place of its own, as in
// "tapio.story.title".
[[nodiscard]] std::string key_of(const Schema& schema, const Field& field);

void set_value(wire::AnyValue& out, std::string_view text);
// Numbers beyond 2^63 are text, durations seconds, times RFC 3339 in UTC.
void set_value(wire::AnyValue& out, const Value& value, Type type, const Clocks& clocks);

void add_attribute(Attributes& out, std::string_view key, std::string_view text);

// All that is known of a record: its id, who acted and where, and its fields.
void add_attributes(Attributes& out, const Record& record, const Clocks& clocks);
// What tells the series of a metric record apart: fields without a unit, and the container.
void add_labels(Attributes& out, const Record& record, const Clocks& clocks);

}  // namespace tapio::otlp

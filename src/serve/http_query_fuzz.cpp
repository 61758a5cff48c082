// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "record/record_id.hpp"
#include "serve/http_address.hpp"
#include "serve/http_query.hpp"
#include "serve/request.hpp"

namespace {

using namespace tapio;
using namespace tapio::serve;

void must(bool holds) {
  if (!holds) std::abort();
}

constexpr ParameterSet kAll = {Parameter::limit, Parameter::cursor, Parameter::since,
                               Parameter::name, Parameter::type};

void check(const Query& query) {
  must(query.limit >= 1 && query.limit <= Query::kMaxLimit);
  must(query.names.size() <= kMaxNames && query.types.size() <= 5);
  if (query.cursor) must(parse_record_id(query.cursor->text()) == query.cursor);
  for (const auto type : query.types)
    must(query.wants(Schema{.name = query.names.empty() ? "" : query.names.front(), .kind = type}));
}

}  // namespace

// A parameter on each line, as key=value; a line without = is what a header says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  std::string_view rest = bytes;
  Query query;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) {
      (void)is_plain_host(line);
      if (const auto id = parse_record_id(line)) must(parse_record_id(id->text()) == id);
      continue;
    }
    const auto read = read_parameter(query, kAll, line.substr(0, equals), line.substr(equals + 1));
    must(read || !read.error().what.empty());
    check(query);
  }
  return 0;
}

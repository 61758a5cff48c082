// SPDX-License-Identifier: Apache-2.0
#include "serve/gap_json.hpp"

#include <fmt/format.h>

#include <iterator>

namespace tapio::serve {

void append_gap_json(std::string& out, const Missing& missing, std::string_view reason) {
  const Clocks clocks = Clocks::read();
  out += R"({"type":"gap","name":"gap","time":")";
  append_rfc3339(out, monotonic_now() + clocks.wall_ahead);
  out.append(R"(","observer":"*","class":"*","stage":"stream","reason":")").append(reason);
  out += R"(","from":")";
  append_rfc3339(out, missing.from);
  out += R"(","to":")";
  append_rfc3339(out, missing.to);
  fmt::format_to(std::back_inserter(out), R"(","count":{}}})", missing.count);
}

}  // namespace tapio::serve

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/tally.hpp"
#include "record/view.hpp"

namespace tapio::cli {

// "0.05", "1.2", "1234".
[[nodiscard]] std::string rate_text(double per_second);
// By the type and unit of the field; "-": not known. Printable.
[[nodiscard]] std::string cell_text(const View& view, const Figure& figure, const Cell& cell);

}  // namespace tapio::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tapio::serve {

// The page as ui/ built it; without it (-DTAPIO_UI=OFF) one that says so.
[[nodiscard]] std::string_view ui_page();

}  // namespace tapio::serve

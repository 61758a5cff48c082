// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/record.hpp"
#include "record/view.hpp"

namespace tapio::oom_score {

inline constexpr SchemaOf kChanged{
    "oom_score.changed",
    Kind::event,
    "A process is to be killed sooner or later than before when memory runs out. process.pid is "
    "who changed that.",
    Field{"oom_score.target.pid", Type::u64, "The process whose score it is.", "TARGET"},
    Field{"oom_score.target.name", Type::text, "Its comm.", "TNAME"},
    Field{"oom_score.adjustment", Type::i64,
          "As in /proc/PID/oom_score_adj: from -1000, never, to 1000, first.", "ADJUSTMENT"}};

inline constexpr const Schema* kSchemas[] = {&kChanged};

inline constexpr ViewOf kTargets{View{.name = "oom_score",
                                      .help = "Whose scores change, and who changes them.",
                                      .schema = &kChanged,
                                      .head = "TARGET",
                                      .keys = {"oom_score.target.name"},
                                      .in_overview = false},
                                 figure::rate_of("CHANGES/s"),
                                 figure::most_of("HIGHEST", "oom_score.adjustment"),
                                 figure::common_of("BY", "process.executable.name")};

inline constexpr const View* kViews[] = {&kTargets};

}  // namespace tapio::oom_score

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "cli/agent.hpp"
#include "cli/arguments.hpp"
#include "cli/exit.hpp"
#include "observer.hpp"
#include "serve/json.hpp"

// One function for each command, and how they show what they got.
namespace tapio::cli {

Exit run(const Arguments& arguments, Agent& agent);  // and record
Exit replay(const Arguments& arguments, Agent& agent);
Exit trace(const Arguments& arguments, Agent& agent, std::span<const Descriptor* const> observers);
Exit stories(const Arguments& arguments, const Agent& agent);
Exit explain(const Arguments& arguments, const Agent& agent);
Exit query(const Arguments& arguments, const Agent& agent);
Exit status(const Arguments& arguments, const Agent& agent);
Exit top(const Arguments& arguments, const Agent& agent,
         std::span<const Descriptor* const> observers);
Exit doctor(const Arguments& arguments, Agent& agent);
Exit reload(const Arguments& arguments, const Agent& agent);
Exit config_check(const Arguments& arguments, const Agent& agent);
Exit config_explain(const Arguments& arguments, const Agent& agent);
Exit config_default(const Agent& agent);
Exit config_reference(const Agent& agent);
Exit completion(const Arguments& arguments, const Agent& agent,
                std::span<const Descriptor* const> observers);
Exit man(const Arguments& arguments, const Agent& agent,
         std::span<const Descriptor* const> observers);

// Standalone tracing, prepared: the configuration has only the observers of `schemas` enabled, and
// the filters that they know; `where` has the others. A setting that was asked for and that no such
// observer has is an error.
[[nodiscard]] Result<TraceOptions> standalone_options(const Arguments& arguments, config::Tree tree,
                                                      std::vector<const Schema*> schemas,
                                                      std::span<const Descriptor* const> observers);

// Why the stream of an agent with that status cannot serve; empty: it can.
[[nodiscard]] std::string why_not_streamed(const Arguments& arguments, const serve::Json& status,
                                           std::span<const Schema* const> schemas,
                                           std::span<const Descriptor* const> observers);

// At most about 40 lines, whatever the agent says.
[[nodiscard]] std::string status_text(const serve::Json& status);

// Of the agent's answer: what changed and what waits; what was wrong is not in it.
[[nodiscard]] std::string reload_text(const serve::Json& answer);

[[nodiscard]] std::string doctor_text(const DoctorReport& report);
[[nodiscard]] std::string doctor_json(const DoctorReport& report);
[[nodiscard]] Exit exit_of(const DoctorReport& report);

}  // namespace tapio::cli

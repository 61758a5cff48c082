// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/agent.hpp"

namespace tapio::agent {

// What the commands need of the agent.
class Commands final : public cli::Agent {
 public:
  [[nodiscard]] std::string version() const override;
  [[nodiscard]] config::Tree configuration() const override;
  [[nodiscard]] std::string socket(const config::Tree& configuration) const override;
  [[nodiscard]] Status check(const config::Tree& configuration) const override;
  Status run(const cli::RunOptions& options) override;
  Status replay(const cli::ReplayOptions& options) override;
  Status trace(const cli::TraceOptions& options) override;
  cli::DoctorReport doctor(const config::Tree& configuration, const std::string& socket) override;
};

}  // namespace tapio::agent

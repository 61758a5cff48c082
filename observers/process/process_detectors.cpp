// SPDX-License-Identifier: Apache-2.0
#include "process_detectors.hpp"

namespace tapio::process {

void Detectors::on_fact(const Fact& fact, Output& out) {
  std::visit([&](const auto& known) { on(known, out); }, fact);
}

void Detectors::configure(const Config& config) {
  storm_.configure(config);
  crashes_.configure(config);
  bombs_.configure(config);
  exec_failures_.configure(config);
}

void Detectors::on(const ProcessStarted& fact, Output& out) {
  crashes_.on(fact);
  bombs_.on(fact, out);
}

void Detectors::on(const ProcessExecuted& fact, Output&) {
  bombs_.on(fact);
  exec_failures_.on(fact);
}

void Detectors::on(const ProcessExited& fact, Output& out) {
  chains_.on(fact, out);
  crashes_.on(fact, out);
  bombs_.on(fact);
  exec_failures_.on(fact, out);
}

void Detectors::on(const SignalSent& fact, Output& out) {
  storm_.on(fact, out);
  chains_.on(fact);
  crashes_.on(fact);
  border_.on(fact, out);
}

void Detectors::on(const Lost& fact, Output&) {
  storm_.on(fact);
  gains_.on(fact);
}

}  // namespace tapio::process

// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <csignal>

#include "agent/commands.hpp"
#include "agent/terminal.hpp"
#include "cli/cli.hpp"

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == tapio::agent::kCanaryCommand) return ::kill(::getpid(), SIGKILL);
  tapio::agent::Commands agent;
  return tapio::cli::main(argc, argv, agent);
}

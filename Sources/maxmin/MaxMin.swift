import ArgumentParser

/// The program `maxmin`.
struct MaxMin: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maxmin",
        abstract: "Trains language models so that no group of people is left behind (MaxMin-RLHF, arXiv 2402.08925).",
        discussion: """
            From comparisons by many users it learns which hidden groups they form and what each group rewards, then \
            aligns a policy for the worst-off group. The embedded example needs no download:

              maxmin run launch/runs/quickstart.yaml

            Runs work on one process or under mpirun; results go to the run directory that the configuration names, \
            progress to standard error. Exit codes: 0 done, 64 usage, 65 bad data, 66 missing input, 70 internal or \
            numeric, 73 cannot create, 74 input or output, 75 stopped with a checkpoint, 77 permission, \
            78 configuration, 86 watchdog.
            """,
        version: "0.1.0",
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(
                name: "Runs",
                subcommands: [
                    Run.self, SFT.self, Simulate.self, Reward.self, Calibrate.self, Policy.self, Evaluate.self,
                    Report.self, SweepRuns.self,
                ]
            ),
            CommandGroup(name: "Clusters", subcommands: [LaunchRun.self, Supervise.self]),
            CommandGroup(
                name: "Models and data",
                subcommands: [
                    Generate.self, Chat.self, Score.self, Tokenize.self, Init.self, Merge.self, Assign.self,
                    Diagnose.self,
                    Export.self,
                    Inspect.self, Convert.self,
                    Bench.self,
                ]
            ),
        ]
    )
}

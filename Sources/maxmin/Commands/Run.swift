import ArgumentParser

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Does the whole pipeline, or the stages that the configuration names.",
        discussion: """
            Examples:

              maxmin run launch/runs/quickstart.yaml
              mpirun -n 2 --bind-to none maxmin run launch/runs/imdb-10to1.yaml --set run.seed=2 \\
                --set run.directory=runs/imdb-10to1-seed2

            Everything is written to run.directory. It must be new, or hold none of these stages' results, unless \
            --overwrite is given, or --resume, which goes on from the last checkpoint (docs/checkpoints.md). SIGUSR1 \
            makes a run save at its next step and end with 75.
            """
    )

    @OptionGroup var options: RunOptions

    func run() throws { try options.run(nil) }
}

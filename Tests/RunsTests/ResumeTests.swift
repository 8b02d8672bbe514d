import Collectives
import Failures
import Foundation
import ModelFiles
import Randomness
import StrictJSON
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import ModelTools
@testable import Reporting
@testable import Runs

/// Stops or kills a run at one of its step boundaries: ranks ask it there whether they were asked to stop.
private final class Interruption: Sendable {
    struct Killed: Error {}

    private let asked = Atomic(0)
    private let boundary: Int?
    private let kills: Bool

    init(at boundary: Int?, kills: Bool) {
        self.boundary = boundary
        self.kills = kills
    }

    /// How often it was asked.
    var count: Int { asked.load(ordering: .relaxed) }

    func isAsked() throws -> Bool {
        guard asked.add(1, ordering: .relaxed).newValue == boundary else { return false }
        if kills { throw Killed() }
        return true
    }
}

@Suite struct ResumeTests {
    /// A pipeline that is as small as its stages allow, with everything that a state may hold.
    private static let configuration = """
        run: { seed: 3, threads: 1, save_every_steps: 2, save_every_minutes: null,
               stages: [sft, simulate, reward, calibrate, policy] }
        model: { precision: fp32 }
        data: { max_length: 24, held_out_prompts: 8 }
        sft: { documents: 120, vocabulary_size: 300, layers: 1, width: 16, heads: 2, positions: 32, steps: 7,
               batch_sequences: 8, warmup_steps: 2 }
        simulate: { groups: [{ name: positive, users: 3, taste: sentiment },
                             { name: concise, users: 2, taste: length }],
                    comparisons_per_user: 12, prompt_tokens: 4, max_new_tokens: 8 }
        reward: { assignment: soft, temperature: 2, max_iterations: 2, batch_comparisons: 6, max_steps: 4,
                  evaluate_every: 2, warmup_steps: 1 }
        calibrate: { method: log-sigmoid, prompts: 8, samples_per_prompt: 2, at_chance: take }
        policy: { objectives: [maxmin, single], max_kl: 0.05, steps: 4, learning_rate: 0.1, prompts_per_step: 4,
                  samples_per_prompt: 2, max_new_tokens: 6, warmup_steps: 1, epochs: 2 }
        evaluate: { prompts: 8, best_of: [3, 2] }
        shards: 4
        """

    /// The same with adapters of the reference, a value head a group, and all that reads them afterwards.
    private static let adapterConfiguration =
        configuration
        .replacing("calibrate, policy]", with: "calibrate, policy, evaluate]")
        .replacing("layers: 1,", with: "layers: 2,")
        .replacing("reward: {", with: "reward: { trainable: lora, lora: { rank: 2, alpha: 4, top_layers: 1 },")
        .replacing(
            "policy: { objectives: [maxmin, single],",
            with:
                "policy: { objectives: [maxmin], algorithm: ppo, value_heads: per-group, trainable: lora, "
                + "lora: { rank: 3, targets: [c_attn, c_fc] },"
        )

    private enum Ending { case done, stopped, killed }

    /// Runs the pipeline in a directory.
    private static func run(_ path: String, ranks: Int, resume: Bool, _ interruption: Interruption) throws -> Ending {
        do {
            let stopped = try InProcessGroup.run(ranks: ranks) { communicator in
                var request = RunRequest(configuration: "\(path)/run.yaml")
                request.overrides = ["run.directory=\(path)/run"]
                request.resume = resume
                let isRoot = communicator.rank == 0
                request.stop.isAsked = { try isRoot && interruption.isAsked() }
                return try runStages(request, communicator: communicator, progress: .silent).isStopped
            }
            #expect(stopped.allSatisfy { $0 == stopped[0] })
            return stopped[0] ? .stopped : .done
        } catch is Interruption.Killed {
            return .killed
        }
    }

    private static func expect(
        _ ending: Ending,
        _ path: String,
        ranks: Int,
        resume: Bool,
        _ interruption: Interruption,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try run(path, ranks: ranks, resume: resume, interruption)
        #expect(found == ending, sourceLocation: sourceLocation)
    }

    /// All results of a run: every file of models and data, and the metrics without times.
    private static func results(_ path: String) throws -> [String: String] {
        var results: [String: String] = [:]
        for name in FileManager.default.enumerator(atPath: "\(path)/run")?.compactMap({ $0 as? String }) ?? [] {
            let file = "\(path)/run/\(name)"
            var isFolder: ObjCBool = false
            _ = unsafe FileManager.default.fileExists(atPath: file, isDirectory: &isFolder)
            guard !isFolder.boolValue, !["status.json", "environment.json", "config.yaml"].contains(name),
                !name.hasPrefix("completed/")
            else { continue }
            if name == "metrics.jsonl" {
                let text = try String(contentsOfFile: file, encoding: .utf8)
                results[name] = text.replacing(/"[a-z_]*seconds": [^,}]*|"[a-z_]*tokens_per_second": [^,}]*/, with: "")
            } else if name.hasPrefix("tensorboard/") {
                // Events have times; what must be the same is which steps they are of, each once.
                let bytes = try readBytes(ofFile: file)
                results[name] = "\(recordEnds(in: bytes).dropLast().map { bytes[$0 + 12 + 9 + 1] })"
            } else if name.hasSuffix("README.md") || name.hasSuffix("adapter_config.json") {
                // An adapter's name its base, which is in the run's own directory here.
                results[name] = try String(contentsOfFile: file, encoding: .utf8).replacing(path, with: "RUNS")
            } else {
                results[name] = try FileSeal(reading: file).xxh64
            }
        }
        return results
    }

    private static func withRun(_ text: String = configuration, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { path in
            try writeAtomically(text, to: "\(path)/run.yaml")
            try body(path)
        }
    }

    private static let precisions = ["fp32", "bf16"]

    /// Whatever the number of ranks that go on; in bf16 each has fp32 weights of its slice.
    @Test(arguments: precisions) func aRunKilledOrStoppedAnywhereGivesTheUndisturbedRun(precision: String) throws {
        let configuration = Self.configuration.replacing("precision: fp32", with: "precision: \(precision)")
        try Self.withRun(configuration) { whole in
            let counter = Interruption(at: nil, kills: false)
            try Self.expect(.done, whole, ranks: 1, resume: true, counter)
            let undisturbed = try Self.results(whole)
            #expect(undisturbed.keys.contains("policy/single/model.safetensors"))
            let training = try String(contentsOfFile: "\(whole)/run/policy/maxmin/training.json", encoding: .utf8)
            #expect(training.contains("\"reached_max_kl\": true"), "\(training)")
            var random = CounterRandom(seed: 11, purpose: .test)
            for attempt in 0..<4 {
                try Self.withRun(configuration) { path in
                    let kills = attempt % 2 == 0
                    let ranks = [[1, 1, 1], [2, 3, 1], [4, 1, 3], [1, 2, 2]][attempt]
                    // Twice in the same run, the second time wherever that then is.
                    for again in 0..<2 {
                        let boundary = Int.random(in: 1...counter.count * 2 / 3, using: &random)
                        let outcome = try Self.run(
                            path,
                            ranks: ranks[again],
                            resume: true,
                            Interruption(at: boundary, kills: kills)
                        )
                        #expect(outcome == (kills ? .killed : .stopped) || outcome == .done, "boundary \(boundary)")
                    }
                    let rest = Interruption(at: nil, kills: false)
                    try Self.expect(.done, path, ranks: ranks[2], resume: true, rest)
                    let results = try Self.results(path)
                    #expect(results == undisturbed)
                    #expect(rest.count < counter.count, "nothing was taken over")
                }
            }
        }
    }

    /// Adapters are trained and saved alone, with the same bits on any number of ranks and after any break.
    @Test func aRunWithAdaptersDoesNotDependOnRanksAndBreaks() throws {
        try Self.withRun(Self.adapterConfiguration) { whole in
            let counter = Interruption(at: nil, kills: false)
            try Self.expect(.done, whole, ranks: 1, resume: false, counter)
            let undisturbed = try Self.results(whole)
            for folder in ["reward/group-0", "reward/group-1", "reward/single", "policy/maxmin"] {
                #expect(undisturbed.keys.contains("\(folder)/adapter_model.safetensors"), "\(folder)")
                #expect(!undisturbed.keys.contains("\(folder)/model.safetensors"), "\(folder)")
            }
            let evaluation = try String(contentsOfFile: "\(whole)/run/evaluation.json", encoding: .utf8)
            for name in ["best-of-3", "best-of-3-maxmin", "best-of-2", "best-of-2-maxmin"] {
                #expect(evaluation.contains("\"\(name)\": {"))
            }
            for ranks in [2, 4] {
                try Self.withRun(Self.adapterConfiguration) { path in
                    // Two ranks end in the reward stage, four in that of the policy; the others then go on.
                    let boundary = ranks == 2 ? counter.count / 2 : counter.count - 1
                    try Self.expect(
                        .stopped,
                        path,
                        ranks: ranks,
                        resume: false,
                        Interruption(at: boundary, kills: false)
                    )
                    try Self.expect(.done, path, ranks: 6 - ranks, resume: true, Interruption(at: nil, kills: false))
                    #expect(try Self.results(path) == undisturbed)
                }
            }
            var request = AssignRequest(run: "\(whole)/run", input: "\(whole)/run/preferences.jsonl")
            request.json = true
            var users = 0
            try assign(request, log: { _ in }, emit: { _ in users += 1 })
            #expect(users == 5)
        }
    }

    @Test func theStatusSaysHowItEnded() throws {
        try Self.withRun { path in
            let directory = RunDirectory(path: "\(path)/run")
            try Self.expect(.stopped, path, ranks: 2, resume: false, Interruption(at: 5, kills: false))
            #expect(try directory.readStatus()?.state == .stopped && directory.readStatus()?.exitCode == 75)
            try Self.expect(.killed, path, ranks: 2, resume: true, Interruption(at: 3, kills: true))
            #expect(try directory.readStatus()?.state == .failed)
            #expect(try directory.readStatus()?.startedFrom.contains("sft step 4") == true)
        }
    }

    @Test func aChangedConfigurationIsRefused() throws {
        try Self.withRun { path in
            try Self.expect(.stopped, path, ranks: 1, resume: false, Interruption(at: 5, kills: false))
            func refusal(_ change: (String) -> String) throws -> Failure? {
                try writeAtomically(change(Self.configuration), to: "\(path)/run.yaml")
                do {
                    _ = try Self.run(path, ranks: 1, resume: true, Interruption(at: 2, kills: false))
                    return nil
                } catch {
                    return error as? Failure
                }
            }
            let refused = try refusal { $0.replacing("steps: 7", with: "steps: 8") }
            #expect(refused?.code == .configuration && refused?.message.contains("sft.steps was 7, is 8") == true)
            // What does not change the result so far may change.
            #expect(try refusal { $0.replacing("threads: 1", with: "threads: 2, keep_checkpoints: 3") } == nil)
            #expect(try refusal { $0.replacing("objectives: [maxmin, single]", with: "objectives: [single]") } == nil)
        }
    }

    @Test func theFourthRestartWithoutProgressIsRefused() throws {
        try Self.withRun { path in
            // Each time at the step after the last checkpoint; the first restart finds more than the first start did.
            try Self.expect(.killed, path, ranks: 1, resume: true, Interruption(at: 5, kills: true))
            for _ in 0..<4 {
                try Self.expect(.killed, path, ranks: 1, resume: true, Interruption(at: 2, kills: true))
            }
            do {
                _ = try Self.run(path, ranks: 1, resume: true, Interruption(at: 2, kills: true))
                Issue.record("a fifth restart was made")
            } catch {
                let failure = error as? Failure
                #expect(failure?.code == .internalError)
                #expect(failure?.message.contains("sft step") == true)
            }
        }
    }

    @Test func theLimitLeavesTimeToSave() {
        var stop = StopConditions()
        let now = Date(timeIntervalSince1970: 1000)
        #expect(!stop.isTimeUp(at: now, saveSeconds: 10, stepSeconds: 2))
        stop.deadline = now.addingTimeInterval(18.1)
        #expect(!stop.isTimeUp(at: now, saveSeconds: 10, stepSeconds: 2))
        stop.deadline = now.addingTimeInterval(17.9)
        #expect(stop.isTimeUp(at: now, saveSeconds: 10, stepSeconds: 2))
    }
}

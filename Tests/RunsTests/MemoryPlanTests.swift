import Collectives
import Failures
import Foundation
import LanguageModels
import ModelFiles
import Reporting
import StrictJSON
import Tensors
import TestSupport
import Testing

@testable import ModelTools
@testable import Runs

@Suite struct MemoryPlanTests {
    private func plan(
        _ yaml: String,
        stages: [Stage],
        ranks: Int = 1,
        onNode: Int = 1,
        available: Int? = nil
    ) throws -> MemoryPlan {
        let configuration = try Configuration(yaml: yaml, file: "run.yaml")
        return try MemoryPlan(
            configuration,
            stages: stages,
            ranks: ranks,
            ranksOnNode: onNode,
            available: available
        )
    }

    /// One layer of width 64 with 600 tokens and 32 positions: 600·64 + 32·64 + 12·64² + 13·64 + 2·64 parameters.
    static let small = """
        model: { precision: fp32 }
        sft: { vocabulary_size: 600, layers: 1, width: 64, heads: 2, positions: 32, batch_sequences: 8 }
        data: { max_length: 32 }
        simulate: { max_new_tokens: 16 }
        policy: { max_new_tokens: 16 }
        shards: 4
        """

    @Test func trainingIsCountedByHand() throws {
        let parameters = 600 * 64 + 32 * 64 + 12 * 64 * 64 + 13 * 64 + 2 * 64
        let alone = try plan(Self.small, stages: [.sft]).stages[0]
        #expect(alone[.weights] == 4 * parameters)
        #expect(alone[.gradients] == 4 * parameters)
        #expect(alone[.moments] == 8 * parameters)
        // Four shards: while the last is computed, the sum of the first two and the third wait.
        #expect(alone[.sums] == 2 * 4 * parameters)
        #expect(alone[.communication] == 0)
        // Two sequences of a shard, all rows of which are read, in one block.
        #expect(alone[.logits] == 2 * 32 * 600 * 4)

        let shared = try plan(Self.small, stages: [.sft], ranks: 4, onNode: 2)
        #expect(shared.stages[0][.sums] == 0)
        #expect(abs(shared.stages[0][.moments] - 2 * parameters) <= 8 << 16)
        #expect(shared.bytesPerNode(shared.stages[0]) == 2 * shared.stages[0].bytesPerRank)
    }

    /// With `sampling_memory: auto` ranks share half of what other memory leaves of a node.
    @Test func samplingTakesHalfOfWhatIsLeft() throws {
        func plan(_ available: Int?, yaml: String = Self.small) throws -> MemoryPlan {
            try self.plan(yaml, stages: [.sft, .simulate, .policy], ranks: 4, onNode: 2, available: available)
        }
        let (some, more) = (try plan(1 << 30), try plan(3 << 30))
        #expect(more.samplingBytes - some.samplingBytes == (2 << 30) / 2 / 2)
        let policy = some.stages[2]
        let (others, left) = (2 * (policy.bytesPerRank - policy[.cache]), (1 << 30) - 4 * some.samplingBytes)
        #expect(abs(others - left) < left / 10)
        #expect(try plan(1 << 20).samplingBytes == 1 << 20)
        #expect(try plan(nil).samplingBytes == LanguageModel.defaultSamplingBytes)
        let given = Self.small.replacing("fp32 }", with: "fp32, sampling_memory: 7 }")
        #expect(try plan(1 << 30, yaml: given).samplingBytes == 7 << 20)
    }

    /// Ranks have fp32 weights of their slices alone of all but vectors, in slices of whole chunks.
    @Test func mastersAreShared() throws {
        let matrices = 600 * 64 + 32 * 64 + 12 * 64 * 64
        let parameters = matrices + 13 * 64 + 2 * 64
        let half = Self.small.replacing("fp32", with: "bf16")
        let (alone, shared) = (try plan(half, stages: [.sft]), try plan(half, stages: [.sft], ranks: 4))
        #expect(alone.stages[0][.weights] == 6 * parameters)
        let saved = 6 * parameters - shared.stages[0][.weights]
        #expect(saved >= 4 * (matrices - 2 * squaresChunk) && saved < 4 * matrices)
        let plain = try plan(half + "\nrun: { reproducible: false }", stages: [.sft], ranks: 4)
        #expect(plain.stages[0][.weights] == 6 * parameters)
    }

    @Test func groupsAndKeysCount() throws {
        let two = try plan(Self.small, stages: [.reward, .policy])
        let four = try plan(Self.small + "\nreward: { groups: 4 }", stages: [.reward, .policy])
        let gradients = two.stages.map { $0[.gradients] }
        // Those of the single model have gone when the groups' are trained.
        #expect(four.stages[0][.gradients] == 2 * gradients[0] && four.stages[1][.gradients] == gradients[1])
        // Finished rewards of fp32 products are used in their files, all but vectors and heads.
        let (few, many) = (two.stages[1], four.stages[1])
        #expect(many[.mapped] > few[.mapped] && many[.weights] - few[.weights] == 2 * 4 * (13 + 2 + 1) * 64)
        // Two groups of two folds and of all comparisons, and as many single models.
        let head = try plan(Self.small + "\nreward: { trainable: head }", stages: [.reward])
        #expect(head.stages[0][.adapters] == 9 * 4 * 64 && head.stages[0][.gradients] == 6 * 4 * 64)
        let fewer = try plan(
            Self.small.replacing("fp32 }", with: "fp32, micro_batch_tokens: 64, sampling_memory: 1 }"),
            stages: [.reward, .policy]
        )
        #expect(fewer.stages[0][.activations] < two.stages[0][.activations])
        #expect(fewer.stages[1][.cache] <= 1 << 20)
        #expect(two.largest?.stage == .reward)
    }

    /// What several responses share counts once: chosen and rejected of simulated users, a prompt's samples in a
    /// policy's step.
    @Test func promptsCountOnce() throws {
        let planner = try StagePlanner(Configuration(yaml: Self.small, file: "run.yaml"), ranks: 1)
        #expect(planner.promptTokens == 16)
        #expect(planner.pairTokens == 16 + 2 * 16)
        #expect(planner.responseTokens(8, to: 2, prompt: 16, new: 16) == 2 * 15 + 8 * 17)
        let many = Self.small.replacing("policy: {", with: "policy: { prompts_per_step: 4, samples_per_prompt: 8,")
        // All rows of a shard's eight responses are read in one pass, whose logits and those of the reference meet.
        let step = try plan(many, stages: [.policy]).stages[0]
        #expect(step[.logits] == 2 * 4 * 8 * 16 * 600 + 4 * 8 * 16 * 64)
    }

    /// While weights are moved to a `max_kl`, those that training started from are there, and no gradients or moments.
    @Test func movedWeightsCount() throws {
        let blocks = 8 * (12 * 512 * 512 + 13 * 512)
        let parameters = 600 * 512 + 32 * 512 + blocks + 2 * 512
        let half = Self.small.replacing("fp32", with: "bf16").replacing(
            "layers: 1, width: 64",
            with: "layers: 8, width: 512"
        )
        let matched = half.replacing("policy: {", with: "policy: { max_kl: 2,")
        let plain = try plan(half, stages: [.policy]).stages[0]
        #expect(try plan(matched, stages: [.policy]).stages[0].bytesPerRank == plain.bytesPerRank)
        // On many ranks, each has few of the moments, and all of the weights.
        let moved = try plan(matched, stages: [.policy], ranks: 4).stages[0]
        #expect(moved[.weights] - plain[.weights] == 6 * parameters)
        #expect(moved[.gradients] == 0 && moved[.moments] == 0)
    }

    /// The weights of a Llama stay in its file, once for all ranks; adapters do not.
    @Test func adaptersShareTheirBase() throws {
        try withTemporaryDirectory { folder in
            let model = folder + "/model"
            _ = try initializeModel(preset: "llama-tiny", directory: model, tokenizerFrom: nil, seed: 1)
            let shape = try #require(ModelPreset.named("llama-tiny"))
            let yaml = """
                run: { stages: [reward, policy] }
                model: { path: \(model), precision: bf16 }
                reward: { trainable: lora }
                policy: { trainable: lora }
                """
            let plan = try plan(yaml, stages: [.reward, .policy], ranks: 2, onNode: 2)
            let (reward, policy) = (plan.stages[0], plan.stages[1])
            // All but the gains of norms, which are read as fp32.
            let gains = (2 * shape.layers + 1) * shape.width
            #expect(policy[.mapped] == 2 * (shape.parameterCount(head: .none) - gains))
            // Rewards never read the matrix of the vocabulary.
            #expect(policy[.mapped] - reward[.mapped] == 2 * shape.vocabularySize * shape.width)
            #expect(policy[.weights] == 4 * gains)
            #expect(plan.bytesPerNode(policy) == 2 * policy.bytesPerRank - policy[.mapped])
        }
    }

    @Test func aRunThatCannotFitIsRefusedBeforeItBegins() throws {
        try withTemporaryDirectory { folder in
            let file = folder + "/run.yaml"
            try (Self.small + "\nrun: { directory: \(folder)/run, memory_limit: 1 }").write(
                toFile: file,
                atomically: true,
                encoding: .utf8
            )
            var said = ""
            let error = #expect(throws: Failure.self) {
                try runStages(
                    RunRequest(configuration: file),
                    communicator: SoloCommunicator(),
                    progress: ProgressMeter(style: .lines, columns: { 80 }, now: { 0 }, write: { said += $0 })
                )
            }
            #expect(error?.code == .configuration && error?.location == "run.memory_limit")
            #expect(error?.message.contains("the stage ") == true && error?.message.contains("change ") == true)
            #expect(said.contains("moments"))
            #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
            let json = try inspectMemory(
                file,
                overrides: ["run.memory_limit=9999"],
                ranks: 2,
                ranksOnNode: 2,
                json: true
            )
            #expect(
                try JSONValue(parsing: Array(json.utf8), at: "plan").object?["available_bytes"]?.integer == 9999 << 20
            )
        }
    }

    /// The least of what the system has and what the control groups above this process leave.
    @Test func availableMemoryHeedsControlGroups() throws {
        try withTemporaryDirectory { root in
            func write(_ text: String, to path: String) throws {
                let file = URL(fileURLWithPath: root + path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try text.write(to: file, atomically: true, encoding: .utf8)
            }
            #expect(availableMemory(root: root) == nil)
            try write("MemTotal:  9000 kB\nMemAvailable:\t    8000 kB\n", to: "/proc/meminfo")
            #expect(availableMemory(root: root) == 8000 << 10)
            try write("0::/job/step\n", to: "/proc/self/cgroup")
            try write("max\n", to: "/sys/fs/cgroup/job/step/memory.max")
            try write("5000000\n", to: "/sys/fs/cgroup/job/memory.max")
            try write("3000000\n", to: "/sys/fs/cgroup/job/memory.current")
            try write("anon 2\ninactive_file 500000\nactive_file 500000\n", to: "/sys/fs/cgroup/job/memory.stat")
            #expect(availableMemory(root: root) == 3_000_000)
            try write("4:memory:/job\n", to: "/proc/self/cgroup")
            try write("9223372036854771712\n", to: "/sys/fs/cgroup/memory/memory.limit_in_bytes")
            try write("2000000\n", to: "/sys/fs/cgroup/memory/job/memory.limit_in_bytes")
            try write("1500000\n", to: "/sys/fs/cgroup/memory/job/memory.usage_in_bytes")
            #expect(availableMemory(root: root) == 500_000)
        }
    }
}

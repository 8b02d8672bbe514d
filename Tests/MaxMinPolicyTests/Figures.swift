import Foundation

/// The figures that `Tests/Fixtures/MaxMinPolicy/make_figures.py` wrote, by PyTorch.
struct Figures: Decodable {
    /// KL(softmax(logits/temperature) ‖ softmax(other/temperature)).
    struct Divergence: Decodable {
        let logits: [Float]
        let other: [Float]
        let temperature: Float
        let kl: Double
    }

    /// GRPO's loss of responses, those of a prompt next to one another.
    struct GroupRelative: Decodable {
        let samples: Int
        /// Tokens of each response.
        let lengths: [Int]
        let clip: Float
        let beta: Float
        /// Of each response.
        let rewards: [Float]
        let advantages: [Float]
        /// Log-probabilities of each token: when sampled, now, and of the reference.
        let old: [Float]
        let own: [Float]
        let reference: [Float]
        let loss: Double
        /// d loss / d own.
        let gradient: [Float]
    }

    let divergences: [Divergence]
    let grpo: [GroupRelative]

    static func read() throws -> Figures {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/MaxMinPolicy/figures.json")
        return try JSONDecoder().decode(Figures.self, from: Data(contentsOf: file))
    }
}

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

    let divergences: [Divergence]

    static func read() throws -> Figures {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/MaxMinPolicy/figures.json")
        return try JSONDecoder().decode(Figures.self, from: Data(contentsOf: file))
    }
}

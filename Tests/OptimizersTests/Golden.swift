import Foundation

/// The values that `Tests/Fixtures/Optimizers/make.py` wrote.
struct Golden: Decodable {
    struct Settings: Decodable {
        let beta1, beta2, epsilon, weightDecay, clipNorm: Float
    }
    struct Steps: Decodable {
        let start: [Float]
        let gradients: [[Float]]
        let decaying: [[Int]]
        let settings: Settings
        let rates: [Float]
        let norms: [Double]
        let values: [[Float]]
    }
    struct Rates: Decodable {
        let shape: String
        let warmup: Int
        let total: Int
        let floor: Float
        let peak: Float
        let rates: [Float]
    }
    let adamw: Steps
    let schedules: [Rates]

    static func read() throws -> Golden {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/Optimizers/optimizers.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
}

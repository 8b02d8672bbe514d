import Randomness
import Testing

struct CounterRandomTests {
    private static func stream(
        seed: UInt64 = 1,
        purpose: RandomPurpose = .test,
        step: Int = 0,
        item: Int = 0
    ) -> CounterRandom {
        CounterRandom(seed: seed, purpose: purpose, step: step, item: item)
    }

    /// A number is a function of its key and position alone: a stream may be entered anywhere.
    @Test func anyPositionCanBeEntered() {
        var whole = Self.stream(item: 7)
        let numbers = (0..<20).map { _ in whole.next() }
        var late = CounterRandom(seed: 1, purpose: .test, step: 0, item: 7, position: 12)
        #expect((0..<8).map { _ in late.next() } == Array(numbers[12...]))
        #expect(late.position == 20)
    }

    /// The numbers that runs are built on: a change of the generator would change every result.
    @Test func numbersArePinned() {
        var stream = CounterRandom(seed: 42, purpose: .sampling, step: 3, item: 5)
        #expect((0..<3).map { _ in stream.next() } == Self.pinned)
    }

    /// Computed from the definition by a few lines of Python.
    private static let pinned: [UInt64] = [
        0x80D3_EE14_0148_21BC, 0x7C09_2AEC_EC81_8D9D, 0x68AC_A66D_6AF8_E398,
    ]

    @Test func everyPartOfTheKeyCounts() {
        let streams = [
            Self.stream(), Self.stream(seed: 2), Self.stream(purpose: .sampling), Self.stream(step: 1),
            Self.stream(item: 1), Self.stream(step: 1, item: 1), Self.stream(step: -1), Self.stream(item: -1),
        ]
        let firsts = streams.map { stream in
            var stream = stream
            return stream.next()
        }
        #expect(Set(firsts).count == streams.count)
    }

    /// Neighbouring streams, as those of neighbouring items are used, behave as independent ones.
    @Test func neighbouringStreamsAreUncorrelated() {
        let count = 20_000
        let firsts = (0..<count + 1).map { item in
            var stream = Self.stream(item: item)
            return stream.uniform() - 0.5
        }
        let correlation = zip(firsts, firsts.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(count) * 12
        // Five standard errors of 1/√n.
        #expect(abs(correlation) < 5 / Double(count).squareRoot())
    }

    @Test func uniformNumbersFillTheUnitInterval() {
        var stream = Self.stream()
        var bins = [Int](repeating: 0, count: 16)
        for _ in 0..<16_000 {
            let number = stream.uniform()
            #expect((0..<1).contains(number))
            bins[Int(number * 16)] += 1
        }
        // χ² with 15 degrees of freedom exceeds 44 once in 10,000 times.
        let deviation = bins.reduce(0.0) { $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000 }
        #expect(deviation < 44)
    }

    @Test func normalNumbersHaveTheirMoments() {
        var stream = Self.stream()
        let numbers = (0..<40_000).map { _ in stream.normal() }
        let count = Double(numbers.count)
        #expect(abs(numbers.reduce(0, +) / count) < 5 / count.squareRoot())
        #expect(abs(numbers.reduce(0) { $0 + $1 * $1 } / count - 1) < 5 * (2 / count).squareRoot())
        #expect(abs(numbers.reduce(0) { $0 + $1 * $1 * $1 * $1 } / count - 3) < 5 * (96 / count).squareRoot())
    }
}

import Tensors
import Testing

@Suite struct TensorTests {
    @Test func zerosAndShapes() {
        let x = Tensor(zeros: [3, 5])
        #expect(x.shape == [3, 5] && x.count == 15 && x.elementType == .float32)
        #expect(x.array() == [Float](repeating: 0, count: 15))
        #expect(Tensor(zeros: [0, 4]).count == 0)
        #expect(Tensor(zeros: [1 << 20]).array().allSatisfy { $0 == 0 })
    }

    @Test func viewsShareStorage() {
        let x = Tensor((0..<12).map(Float.init), shape: [4, 3])
        let middle = x.rows(1..<3)
        #expect(middle.shape == [2, 3] && middle.array() == [3, 4, 5, 6, 7, 8])
        middle[0] = 50
        #expect(x[3] == 50)
        let view = middle.view(at: 1, shape: [2, 2])
        #expect(view.array() == [4, 5, 6, 7])
        view.fill(1)
        #expect(x.array() == [0, 1, 2, 50, 1, 1, 1, 1, 8, 9, 10, 11])
        #expect(x.rows(2..<2).count == 0)
    }

    @Test func viewOutlivesItsTensor() {
        func view() -> Tensor { Tensor(samples(100, seed: 1), shape: [10, 10]).rows(9..<10) }
        let last = view()
        _ = (0..<100).map { _ in Tensor([Float](repeating: 9, count: 100), shape: [100]) }
        #expect(last.array() == Array(samples(100, seed: 1)[90...]))
    }

    @Test func spansReadAndWrite() {
        let x = Tensor([1, 2, 3], shape: [3])
        let sum = x.withMutableSpan { span in
            span[1] = 20
            return span[0] + span[1] + span[2]
        }
        #expect(sum == 24 && x.array() == [1, 20, 3])
    }

    @Test(arguments: [1, 15, 16, 17, 1000, 40_001])
    func bfloat16RoundsToNearestEven(count: Int) {
        let values = samples(count, seed: 3, scale: 100)
        let x = Tensor(values, shape: [count])
        let half = Tensor(zeros: [count], .bfloat16)
        half.copy(from: x)
        #expect(half.array() == values.map(roundedToBFloat16))
        let back = Tensor(zeros: [count], .bfloat16)
        back.copy(from: half)
        #expect(back.array() == half.array())
    }

    @Test func bfloat16TiesAndSpecialValues() {
        // 1 + 2⁻⁸ lies half-way between 1 (even) and 1 + 2⁻⁷; 1 + 3·2⁻⁸ half-way between 1 + 2⁻⁷ and 1 + 2⁻⁶ (even).
        let values: [Float] = [1.00390625, 1.01171875, -1.00390625, .infinity, -.infinity, 0, 3.4e38]
        let half = Tensor(zeros: [values.count + 1], .bfloat16)
        half.copy(from: Tensor(values + [.nan], shape: [values.count + 1]))
        let result = half.array()
        #expect(Array(result.dropLast()) == [1, 1.015625, -1, .infinity, -.infinity, 0, .infinity])
        #expect(result.last?.isNaN == true)
        half.fill(0.3)
        #expect(half.array().allSatisfy { $0 == roundedToBFloat16(0.3) })
    }
}

import Randomness
import Tensors

/// Numbers between −1 and 1 that depend on `seed` alone.
func samples(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
    var random = CounterRandom(seed: seed, purpose: .test)
    return (0..<count).map { _ in scale * (Float(random.next() >> 40) / Float(1 << 23) - 1) }
}

/// A tensor of such numbers.
func sampleTensor(_ shape: [Int], seed: UInt64, scale: Float = 1) -> Tensor {
    Tensor(samples(shape.reduce(1, *), seed: seed, scale: scale), shape: shape)
}

/// Float32 rounded to bfloat16, to nearest, ties to even: the definition, for comparison.
func roundedToBFloat16(_ x: Float) -> Float {
    let bits = x.bitPattern
    let low = bits & 0xFFFF
    var high = bits >> 16
    if low > 0x8000 || (low == 0x8000 && high & 1 == 1) { high += 1 }
    return Float(bitPattern: high << 16)
}

/// Numbers rounded to an element type, and a tensor of that type which holds them; fp16 as files have it, which kernels
/// only read.
func sampleTensor(_ values: [Float], _ shape: [Int], _ type: ElementType) -> (tensor: Tensor, values: [Float]) {
    let tensor = Tensor(zeros: shape, type)
    guard type == .float16 else {
        tensor.copy(from: Tensor(values, shape: shape))
        return (tensor, type == .bfloat16 ? values.map(roundedToBFloat16) : values)
    }
    let rounded = values.map { Float16($0) }
    tensor.withMutableBytes { bytes in
        for (i, value) in rounded.enumerated() {
            bytes[2 * i] = UInt8(truncatingIfNeeded: value.bitPattern)
            bytes[2 * i + 1] = UInt8(truncatingIfNeeded: value.bitPattern >> 8)
        }
    }
    return (tensor, rounded.map { Float($0) })
}

func doubles(_ x: [Float]) -> [Double] { x.map(Double.init) }
func floats(_ x: [Double]) -> [Float] { x.map { Float($0) } }

/// Derivative of Σ weights·f(x) with respect to every x, by central differences in float64.
func finiteDifference(_ x: [Double], weights: [Double], _ f: ([Double]) -> [Double]) -> [Float] {
    let step = 1e-5
    func value(_ x: [Double]) -> Double { zip(f(x), weights).reduce(0) { $0 + $1.0 * $1.1 } }
    return x.indices.map { index in
        var up = x
        var down = x
        up[index] += step
        down[index] -= step
        return Float((value(up) - value(down)) / (2 * step))
    }
}

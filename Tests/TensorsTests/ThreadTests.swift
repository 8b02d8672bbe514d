import Tensors
import Testing

/// Every kernel promises the same bits for any number of threads.
@Suite struct ThreadTests {
    @Test func sameBitsForAnyNumberOfThreads() {
        let original = KernelThreads.count
        defer { KernelThreads.set(original) }
        KernelThreads.set(1)
        let one = everything()
        for count in [2, 3, 7] {
            KernelThreads.set(count)
            #expect(KernelThreads.count == count)
            for (alone, together) in zip(one, everything()) {
                #expect(alone.array() == together.array())
            }
        }
    }

    /// Shapes of one block, of several each way, and of a gradient's many rows.
    @Test(arguments: [[64, 100, 70], [300, 900, 65], [1030, 48, 33], [40, 800, 2000]])
    func productsHaveTheSameBits(shape: [Int]) {
        let original = KernelThreads.count
        defer { KernelThreads.set(original) }
        for type in [ElementType.float32, .bfloat16] {
            for (transposeA, transposeB) in [(false, false), (false, true), (true, false)] {
                let results = [1, 2, 3].map { threads in
                    KernelThreads.set(threads)
                    let (m, n, k) = (shape[0], shape[1], shape[2])
                    let a = Tensor(zeros: transposeA ? [k, m] : [m, k], type)
                    let b = Tensor(zeros: transposeB ? [n, k] : [k, n], type)
                    a.copy(from: sampleTensor(a.shape, seed: 1))
                    b.copy(from: sampleTensor(b.shape, seed: 2))
                    let c = Tensor(zeros: [m, n])
                    multiply(a, transposed: transposeA, b, transposed: transposeB, into: c)
                    return c.array()
                }
                #expect(results[0] == results[1] && results[0] == results[2], "\(type) \(transposeA) \(transposeB)")
            }
        }
    }

    /// Results of all kernels that split or reduce over rows.
    private func everything() -> [Tensor] {
        let (n, d, v) = (300, 192, 1003)
        let sequences = PackedLayout(offsets: [0, 50, 51, 180, 300], prefixLengths: [0, 20, 0, 7])
        let x = sampleTensor([n, d], seed: 1)
        let dy = sampleTensor([n, d], seed: 2)
        let gain = sampleTensor([d], seed: 3)
        let (mean, rstd, y, dx) = (
            Tensor(zeros: [n]), Tensor(zeros: [n]), Tensor(zeros: [n, d]), Tensor(zeros: [n, d])
        )
        let (dgain, dbias, colsum) = (Tensor(zeros: [d]), Tensor(zeros: [d]), Tensor(zeros: [d]))
        layerNormForward(x: x, gain: gain, bias: gain, epsilon: 1e-5, into: y, mean: mean, rstd: rstd)
        layerNormBackward(
            dy: dy,
            x: x,
            gain: gain,
            mean: mean,
            rstd: rstd,
            dx: dx,
            gainGradient: dgain,
            biasGradient: dbias
        )
        let activated = Tensor(zeros: [n, d])
        geluForward(x: x, bias: gain, into: activated)
        geluBackward(x: x, dy: dy, biasGradient: colsum, copy: nil)
        addResidual(x, bias: gain, to: dy, into: dy)

        let qkv = sampleTensor([n, 3 * d], seed: 4)
        let (attended, dqkv, logSumExp) = (Tensor(zeros: [n, d]), Tensor(zeros: [n, 3 * d]), Tensor(zeros: [3, n]))
        attentionForward(AttentionInput(qkv, heads: 3), sequences, into: attended, logSumExp: logSumExp)
        attentionBackward(
            AttentionInput(qkv, heads: 3),
            sequences,
            out: attended,
            logSumExp: logSumExp,
            dout: dy,
            into: dqkv
        )

        let logits = sampleTensor([n, v], seed: 5, scale: 9)
        let targets = (0..<n).map { Int32($0 * 3 % v) }
        let (logp, entropy, normalizer) = (Tensor(zeros: [n]), Tensor(zeros: [n]), Tensor(zeros: [n]))
        logProbabilitiesForward(
            logits: logits,
            targets: targets,
            temperature: 1,
            logProbability: logp,
            entropy: entropy,
            logNormalizer: normalizer
        )
        let (tokenGradient, positionGradient) = (Tensor(zeros: [40, d]), Tensor(zeros: [60, d]))
        embeddingBackward(
            dx: x,
            tokens: (0..<n).map { Int32($0 * 7 % 40) },
            positions: (0..<n).map { Int32($0 % 60) },
            tokenGradient: tokenGradient,
            positionGradient: positionGradient
        )
        let squares = Tensor([Float(chunkSumsOfSquares(logits).reduce(0, +) / 1e4)], shape: [1])
        return [
            y, dx, dgain, dbias, activated, colsum, dy, attended, logSumExp, dqkv, logp, entropy, tokenGradient,
            positionGradient, squares,
        ]
    }
}

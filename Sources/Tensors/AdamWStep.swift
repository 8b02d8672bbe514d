import CKernels
import Glibc

/// One AdamW step (Loshchilov & Hutter, arXiv 1711.05101), decoupled decay, bias-corrected, on flat float32 tensors.
///
/// `step` counts from 1; `gradientScale` multiplies the gradient first (clipping).
package func adamWStep(
    parameters: Tensor,
    gradients: Tensor,
    firstMoment: Tensor,
    secondMoment: Tensor,
    step: Int,
    learningRate: Float,
    beta1: Float,
    beta2: Float,
    epsilon: Float,
    weightDecay: Float,
    gradientScale: Float
) {
    precondition(step >= 1, "AdamW steps count from 1, not \(step)")
    let count = parameters.count
    expect(gradients, count: count, "gradients")
    expect(firstMoment, count: count, "firstMoment")
    expect(secondMoment, count: count, "secondMoment")
    let correction1 = Float(1 - pow(Double(beta1), Double(step)))
    let correction2 = Float(1 - pow(Double(beta2), Double(step)))
    unsafe ck_adamw(
        parameters.floats,
        gradients.floats,
        firstMoment.floats,
        secondMoment.floats,
        count,
        learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        gradientScale,
        correction1,
        correction2
    )
}

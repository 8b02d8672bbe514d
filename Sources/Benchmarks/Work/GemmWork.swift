import LanguageModels
import Tensors

func gemmWork(_ model: LanguageModel) -> BenchWork {
    let type: ElementType = model.precision == .bfloat16 ? .bfloat16 : .float32
    let (width, inner) = (model.configuration.width, model.configuration.innerWidth)
    let a = Tensor(zeros: [1024, width], type)
    let b = Tensor(zeros: [width, inner], type)
    let c = Tensor(zeros: [1024, inner])
    a.fill(0.5)
    b.fill(0.25)
    return BenchWork(
        run: { _ in multiply(a, b, into: c) },
        operations: 2 * 1024 * Double(width) * Double(inner)
    )
}

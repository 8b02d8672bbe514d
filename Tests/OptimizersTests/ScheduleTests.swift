import Optimizers
import Testing

struct ScheduleTests {
    @Test func ratesAreThoseOfTransformers() throws {
        for golden in try Golden.read().schedules {
            let schedule = Schedule(
                shape: try #require(ScheduleShape(rawValue: golden.shape)),
                peak: golden.peak,
                warmupSteps: golden.warmup,
                totalSteps: golden.total,
                floor: golden.floor
            )
            for (index, rate) in golden.rates.enumerated() {
                let ours = schedule.rate(at: index + 1)
                #expect(abs(ours - rate) <= 1e-7, "\(golden.shape), step \(index + 1): \(ours), not \(rate)")
            }
        }
    }

    @Test func decayEndsAtTheFloorAndStaysThere() {
        for shape in [ScheduleShape.linear, .cosine] {
            let schedule = Schedule(shape: shape, peak: 2, warmupSteps: 1, totalSteps: 5, floor: 0.25)
            #expect(schedule.rate(at: 6) == 0.5)
            #expect(schedule.rate(at: 100) == 0.5)
        }
    }

    @Test func warmupLongerThanTheRunOnlyRises() {
        let schedule = Schedule(shape: .linear, peak: 1, warmupSteps: 10, totalSteps: 5)
        #expect((1...5).map(schedule.rate) == [0, 0.1, 0.2, 0.3, 0.4])
    }
}

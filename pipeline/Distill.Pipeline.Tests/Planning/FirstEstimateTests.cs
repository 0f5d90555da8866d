using Distill.Pipeline.Planning;

namespace Distill.Pipeline.Tests.Planning;

public sealed class FirstEstimateTests
{
    private readonly FirstEstimate estimate = new(TimeProvider.System);

    [Fact]
    public void Of_a_model_without_size_a_token_costs_what_is_done_around_it()
    {
        Seconds(WorkKind.Completions, 0).ShouldBe(51, 1e-9);
        Seconds(WorkKind.Training, 0).ShouldBe(11, 1e-9);
    }

    [Fact]
    public void Larger_models_take_longer_and_backward_twice_as_long_as_forward()
    {
        const long Parameters = 10_000_000_000;
        double forward = Seconds(WorkKind.Completions, Parameters) - 51;

        (Seconds(WorkKind.Training, Parameters) - 11).ShouldBe(3 * forward, 0.01 * forward);
        // A core of today does 50 to 200 billion operations a second; fewer where it is shared and the loop is not optimised.
        (2e6 * Parameters / forward / Environment.ProcessorCount).ShouldBeInRange(1e8, 1e13);
    }

    private double Seconds(WorkKind kind, long parameters) => estimate.Seconds(new StageLoad(kind, 1), 1e6, parameters, "cpu");
}

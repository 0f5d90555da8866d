using Distill.Data.Problems;
using Distill.Generation;
using Distill.Student.Distillation;
using Distill.Student.Fused;
using Distill.Student.Reinforcement;
using Distill.Student.Training;
using Distill.Verification;
using static TorchSharp.torch;

namespace Distill.Student.Tests.Reinforcement;

/// <summary>Divergences from a teacher's whole distributions at the places of a student's own completions.</summary>
[Collection(nameof(CountedTensors))]
public sealed class TeacherPassTests
{
    private const double Weight = 0.7;

    private static readonly Problem AnyProblem = new("x", "arithmetic", "arithmetic", Split.Train, 1, "1 + 1", "2", null, "1+1");

    public static TheoryData<TeacherDivergence, bool, int> Cases => new MatrixTheoryData<TeacherDivergence, bool, int>(
        [TeacherDivergence.Reverse, TeacherDivergence.Forward, TeacherDivergence.JensenShannon], [false, true], [61, 5]);

    [Theory, MemberData(nameof(Cases))]
    public void The_loss_is_the_divergence_of_the_distributions(TeacherDivergence divergence, bool byTensors, int top)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
        using var model = GradientModels.Create(parameters, Exact);
        var rollouts = Rollouts();
        using var pass = new TeacherPass(model, new ScriptedTeacher(), Options(divergence, top));
        var result = pass.Differentiate(rollouts, Probe(), TestContext.Current.CancellationToken);
        var student = new LogitsOf();
        model.Differentiate(rollouts, student);
        double sum = 0;
        foreach (var rollout in rollouts)
        {
            for (int position = 0; position < rollout.SupervisedCount; position++)
            {
                double[] p = Shares(ScriptedTeacher.Logits(rollout, position)), q = Shares(student.Rows[(rollout, position)]);
                int[] kept = [.. Enumerable.Range(0, p.Length).OrderByDescending(id => p[id]).Take(top)];
                sum += Divergence(divergence, Classes(p, kept), Classes(q, kept));
            }
        }

        result.Loss.ShouldBe(Weight * sum / rollouts.Sum(rollout => rollout.SupervisedCount), 2e-5);
    }

    // Along its own direction a gradient's slope is its norm.
    [Theory, MemberData(nameof(Cases))]
    public void The_gradient_is_the_slope_of_the_loss(TeacherDivergence divergence, bool byTensors, int top)
    {
        const float Step = 0.003f; // smaller ones drown in single precision, larger ones in the curvature
        using var scope = NewDisposeScope();
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
        using var model = GradientModels.Create(parameters, Exact);
        using var pass = new TeacherPass(model, new ScriptedTeacher(), Options(divergence, top));
        double LossOf() => pass.Differentiate(Rollouts(), Probe(), TestContext.Current.CancellationToken).Loss;
        LossOf();
        var gradient = model.Gradient.clone();
        double norm = gradient.norm().item<float>();
        norm.ShouldBeGreaterThan(0.01);
        var step = gradient * (Step / (float)norm);
        using var frozen = no_grad();
        parameters.Values.add_(step);
        double above = LossOf();
        parameters.Values.sub_(step * 2);
        ((above - LossOf()) / (2 * Step)).ShouldBe(norm, 0.015 * norm);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_step_in_parts_is_the_step_as_a_whole(bool byTensors)
    {
        using var scope = NewDisposeScope();
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
        using var model = GradientModels.Create(parameters, Exact);
        ScriptedTeacher one = new(), many = new();
        MismatchProbe whole = Probe(), parts = Probe();
        var options = Options(TeacherDivergence.Reverse, 61);
        using var together = new TeacherPass(model, one, options);
        var expected = together.Differentiate(Rollouts(), whole, TestContext.Current.CancellationToken);
        float[] gradient = model.Gradient.data<float>().ToArray();
        using var apart = new TeacherPass(model, many, options, mostValues: 61 * 12);
        for (int time = 0; time < 2; time++) // nothing of an earlier step is left
        {
            var result = apart.Differentiate(Rollouts(), parts, TestContext.Current.CancellationToken);
            result.Loss.ShouldBe(expected.Loss, 1e-6);
            result.MeanEntropy.ShouldBe(expected.MeanEntropy, 1e-5);
            result.MeanLogProbability.ShouldBe(expected.MeanLogProbability, 1e-5);
            float[] summed = model.Gradient.data<float>().ToArray();
            for (int i = 0; i < gradient.Length; i++) summed[i].ShouldBe(gradient[i], 1e-6f);
        }

        one.Asked.ShouldBe([6]);
        many.Asked.ShouldBe([1, 2, 1, 1, 1, 1, 2, 1, 1, 1]); // 5, 9 + 3, 8, 12, 6 tokens of 61 values
        parts.Mean.ShouldBe(whole.Mean, 1e-6);
        parts.Largest.ShouldBe(whole.Largest, 1e-6);
    }

    [Fact]
    public void The_probe_is_told_what_a_loss_on_tokens_would_tell_it()
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        using var model = GradientModels.Create(parameters, Exact);
        var rollouts = new ScriptedTeacher().Score(Rollouts(), 61, default);
        MismatchProbe told = Probe(), asked = Probe();
        using var pass = new TeacherPass(model, new ScriptedTeacher(), Options(TeacherDivergence.Forward, 61));
        pass.Differentiate(Rollouts(), told, TestContext.Current.CancellationToken);
        model.Differentiate(rollouts, asked);
        told.Mean.ShouldBe(asked.Mean, 1e-5);
        told.Largest.ShouldBe(asked.Largest, 1e-5);
        told.ReferenceDifference.ShouldBe(asked.ReferenceDifference, 1e-5);
        told.ReferenceDistance.ShouldBe(asked.ReferenceDistance, 1e-3 * asked.ReferenceDistance);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void No_tensor_stays(bool byTensors)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), byTensors: byTensors);
        using var model = GradientModels.Create(parameters, Exact);
        long before = 0;
        using (var pass = new TeacherPass(model, new ScriptedTeacher(), Options(TeacherDivergence.JensenShannon, 9), mostValues: 9 * 12))
        {
            for (int time = 0; time < 3; time++)
            {
                pass.Differentiate(Rollouts(), Probe(), TestContext.Current.CancellationToken);
                if (time == 0) before = CountedTensors.Settled();
            }

            Tensor.TotalCount.ShouldBe(before);
        }

        Tensor.TotalCount.ShouldBe(before - 1); // the sum of the parts
    }

    [Fact]
    public void A_rollout_that_no_teacher_has_read_is_a_fault() =>
        Should.Throw<InvalidOperationException>(() => ((ITeacherLabels)Rollouts()[0]).IdsAt(0).Length).Message.ShouldContain("teacher");

    private static TrainingOptions Exact => new() { Precision = MatmulPrecision.Fp32, Threads = 2 };

    private static GroupRelativeOptions Options(TeacherDivergence divergence, int top) =>
        new() { TeacherWeight = Weight, TeacherDivergence = divergence, TeacherTop = top, TeacherBeta = 0.3 };

    private static MismatchProbe Probe() => new(new OnPolicyDistillationLoss(1));

    private static List<Rollout> Rollouts() =>
    [
        .. ((int, int)[])[(4, 5), (4, 9), (7, 3), (7, 8), (2, 12), (11, 6)] is var shapes
            ? shapes.Select((shape, index) => OfShape(shape.Item1, shape.Item2, index)) : [],
    ];

    private static Rollout OfShape(int prompt, int length, int index)
    {
        int[] asked = [.. Enumerable.Range(0, prompt).Select(i => ((11 * prompt) + (5 * i)) % 61)];
        int[] written = [.. Enumerable.Range(0, length).Select(i => ((17 * index) + (13 * i)) % 61)];
        float[] sampled = [.. written.Select((token, i) => -0.5f - (0.1f * ((token + i) % 7)))];
        return new Rollout(
            [.. asked, .. written], prompt, AnyProblem, new Completion(written, sampled, StopReason.StopToken, 1), Verdict.Correct, 1);
    }

    private static double Divergence(TeacherDivergence divergence, double[] p, double[] q)
    {
        double[] mixture = [.. p.Zip(q, (one, other) => (0.3 * one) + (0.7 * other))];
        return divergence switch
        {
            TeacherDivergence.Reverse => Kl(q, p),
            TeacherDivergence.Forward => Kl(p, q),
            _ => (0.3 * Kl(p, mixture)) + (0.7 * Kl(q, mixture)),
        };
    }

    private static double Kl(double[] p, double[] q) => p.Zip(q, (one, other) => one * Math.Log(one / other)).Sum();

    // What is not kept is one more class.
    private static double[] Classes(double[] shares, int[] kept) =>
        kept.Length == shares.Length ? shares : [.. kept.Select(id => shares[id]), 1 - kept.Sum(id => shares[id])];

    private static double[] Shares(float[] logits)
    {
        double total = logits.Sum(logit => Math.Exp((double)logit));
        return [.. logits.Select(logit => Math.Exp((double)logit) / total)];
    }

    /// <summary>Thinks of a place what its tokens so far say, and counts how many rollouts it is asked for.</summary>
    private sealed class ScriptedTeacher : ITeacherPolicy
    {
        public List<int> Asked { get; } = [];

        public static float[] Logits(Rollout rollout, int position)
        {
            int sum = 0;
            for (int i = 0; i < rollout.FirstSupervised + position; i++) sum = ((sum * 31) + rollout.Tokens[i] + 1) % 1009;
            return [.. Enumerable.Range(0, 61).Select(id => (float)Math.Sin((sum * 0.37) + (id * 1.7)) * 2)];
        }

        public IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation) =>
            Score(rollouts, 0, cancellation);

        public IReadOnlyList<Rollout> Score(IReadOnlyList<Rollout> rollouts, int top, CancellationToken cancellation)
        {
            Asked.Add(rollouts.Count);
            return [.. rollouts.Select(rollout => Read(rollout, top))];
        }

        private static Rollout Read(Rollout rollout, int top)
        {
            var (ids, values, own) = (new List<int>(), new List<float>(), new List<float>());
            var best = new TopTokens();
            for (int position = 0; position < rollout.SupervisedCount; position++)
            {
                float[] logits = Logits(rollout, position);
                double normalizer = LogSoftmax.Normalizer(logits);
                own.Add((float)(logits[rollout.Tokens[rollout.FirstSupervised + position]] - normalizer));
                int[] named = best.Ids(best.Select(logits, top)).ToArray();
                ids.AddRange(named);
                values.AddRange(named.Select(id => (float)(logits[id] - normalizer)));
            }

            return rollout with { ReferenceLogProbabilities = own, Teacher = new TeacherAlternatives(top, [.. ids], [.. values]) };
        }
    }

    /// <summary>Keeps the student's logits and learns nothing.</summary>
    private sealed class LogitsOf : IDistributionLoss
    {
        public Dictionary<(Rollout, int), float[]> Rows { get; } = [];

        public double Evaluate(TrainingSequence sequence, int position, ReadOnlySpan<float> logits, Span<float> gradient)
        {
            lock (Rows) Rows[((Rollout)sequence, position)] = logits.ToArray();
            gradient.Clear();
            return 0;
        }

        public ChunkLoss Evaluate(LogitsChunk chunk)
        {
            foreach (var (row, token) in chunk.Rows.Index())
                Rows[((Rollout)token.Sequence, token.Position)] = chunk.Logits[row].data<float>().ToArray();
            return new ChunkLoss(zeros(1, ScalarType.Float64).sum(), zeros_like(chunk.Logits));
        }
    }
}

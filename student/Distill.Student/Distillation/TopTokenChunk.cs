using Distill.Libtorch;
using Distill.Student.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Distill.Student.Distillation;

/// <summary>
/// A <see cref="TopTokenDivergence"/> of many tokens at once, by tensor operations where the logits are: what is as wide as the vocabulary
/// in fp32, the few classes in fp64.
/// </summary>
internal static class TopTokenChunk
{
    /// <param name="ids">[rows, k] int64: the teacher's best tokens, all different in a row.</param>
    /// <param name="teacher">[rows, k] fp64: their log-probabilities at temperature 1.</param>
    /// <param name="logits">[rows, vocabulary] fp32, left as they are.</param>
    /// <param name="weight">Factor of value and gradient.</param>
    /// <returns>In the caller's dispose scope.</returns>
    public static ChunkLoss Of(TopTokenDivergence loss, Tensor ids, Tensor teacher, Tensor logits, double weight)
    {
        using var scope = NewDisposeScope();
        using Scalar scale = weight * loss.Scale, slopeScale = weight * loss.Scale / loss.Temperature;
        var (exponentials, total, student) = Gathered(loss, ids, logits);
        var slopes = Slopes.Of(loss, Softened(loss, teacher), student);
        // exponentials are 0 at the ids: d log Q(j) / d logit(v) = (1 if v = j) − Q(v), whatever the class
        exponentials.mul_(slopes.Outside.div_(total).mul_(slopeScale).to(ScalarType.Float32));
        var atIds = slopes.ById.addcmul_(student.narrow(1, 0, ids.shape[1]).exp(), slopes.Inside, KeptScalar.One).mul_(slopeScale);
        exponentials.scatter_(1, ids, atIds.to(ScalarType.Float32));
        return new ChunkLoss(slopes.Value.mul_(scale).MoveToOuterDisposeScope(), exponentials.MoveToOuterDisposeScope());
    }

    /// <returns>[rows, classes]: the teacher's logarithms at temperature T, summing to one.</returns>
    private static Tensor Softened(TopTokenDivergence loss, Tensor teacher)
    {
        var target = teacher;
        if (loss.Support == TokenSupport.TailBucket)
        {
            var left = teacher.exp().sum(-1L, keepdim: true).neg_().add_(KeptScalar.One, KeptScalar.One);
            target = cat([target, left.clamp_min_(KeptScalar.Of(TopTokenDivergence.TailFloor)).log_()], 1);
        }

        return target.div(KeptScalar.Of(loss.Temperature)).log_softmax(-1);
    }

    /// <returns>
    /// [rows, vocabulary] exp(logit/T − largest), 0 at the ids; [rows, 1] fp64, their sum with those; [rows, classes] fp64, log Q of the
    /// classes.
    /// </returns>
    private static (Tensor Exponentials, Tensor Total, Tensor Student) Gathered(TopTokenDivergence loss, Tensor ids, Tensor logits)
    {
        var scaled = logits.div(KeptScalar.Of(loss.Temperature));
        scaled.sub_(scaled.amax([-1], keepdim: true));
        var student = scaled.gather(1, ids).to(ScalarType.Float64);
        scaled.exp_().scatter_(1, ids, zeros_like(student, ScalarType.Float32)); // the tail is summed: 1 − kept would cancel
        var rest = scaled.sum(-1L, keepdim: true).to(ScalarType.Float64);
        var total = student.exp().sum(-1L, keepdim: true).add_(rest, KeptScalar.One);
        if (loss.Support == TokenSupport.TailBucket) student = cat([student, rest.log()], 1);
        return (scaled, total, student.sub_(total.log()));
    }

    /// <summary>Value and slopes of the classes.</summary>
    /// <param name="Value">Scalar.</param>
    /// <param name="ById">[rows, k]: derivative by the log-probability of each id's logit itself.</param>
    /// <param name="Inside">[rows, 1]: factor of Q(v) in the gradient at the ids.</param>
    /// <param name="Outside">[rows, 1]: the same elsewhere.</param>
    private readonly record struct Slopes(Tensor Value, Tensor ById, Tensor Inside, Tensor Outside)
    {
        public static Slopes Of(TopTokenDivergence loss, Tensor target, Tensor student) => loss.Support switch
        {
            TokenSupport.RenormalisedBoth => OfRenormalised(loss, target, student),
            TokenSupport.TailBucket => OfTail(loss, target, student),
            _ => OfAll(loss, target, student),
        };

        private static Slopes OfAll(TopTokenDivergence loss, Tensor target, Tensor student)
        {
            var (value, slopes) = Sum(loss, target, student);
            var inside = slopes.sum(-1L, keepdim: true).neg_();
            return new(value, slopes, inside, inside.clone());
        }

        private static Slopes OfTail(TopTokenDivergence loss, Tensor target, Tensor student)
        {
            long k = student.shape[1] - 1;
            var tail = student.narrow(1, k, 1);
            var steep = tail.exp().gt(KeptScalar.Of(TopTokenDivergence.TailFloor)).to(ScalarType.Float64); // below, it has no slope
            tail.clamp_min_(KeptScalar.Of(Math.Log(TopTokenDivergence.TailFloor)));
            var (value, slopes) = Sum(loss, target, student);
            var tailSlope = slopes.narrow(1, k, 1).mul_(steep);
            var inside = slopes.sum(-1L, keepdim: true).neg_();
            return new(value, slopes.narrow(1, 0, k), inside, tailSlope.div(tail.exp()).add_(inside, KeptScalar.One));
        }

        // log Q(j) − log Σ Q over the ids: the slopes sum to zero, so nothing reaches the other tokens.
        private static Slopes OfRenormalised(TopTokenDivergence loss, Tensor target, Tensor student)
        {
            var shares = student.log_softmax(-1);
            var (value, slopes) = Sum(loss, target, shares);
            slopes.sub_(shares.exp().mul_(slopes.sum(-1L, keepdim: true)));
            var none = zeros_like(slopes.narrow(1, 0, 1));
            return new(value, slopes, none, none.clone());
        }

        private static (Tensor Value, Tensor Slopes) Sum(TopTokenDivergence loss, Tensor target, Tensor student)
        {
            var (value, slope) = loss.Divergence.Of<LossColumn>(new(target), new(student));
            return (value.Values!.sum(), slope.Values!.clone());
        }
    }
}

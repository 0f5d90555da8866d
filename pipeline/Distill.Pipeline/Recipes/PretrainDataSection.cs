using Distill.Data.Problems;
using Distill.Student.Pretraining;

namespace Distill.Pipeline.Recipes;

/// <summary><c>data</c>: an endless mixture of solved problems, problem texts and single-step facts, all from the training split.</summary>
public sealed record PretrainDataSection
{
    /// <summary>The families and levels. At least one entry.</summary>
    public required IReadOnlyList<FamilyShare> Families { get; init; }

    /// <summary>Whether whole solutions are shown: true makes a teacher, false a base that does not reason. Default true.</summary>
    public bool Solutions { get; init; }

    /// <summary>Share of examples that are single-step facts. 0..1, default 0 with solutions, 0.5 without.</summary>
    public double Facts { get; init; }

    /// <summary>Share of examples that are problem texts without a solution. 0..1, default 0 with solutions, 0.5 without.</summary>
    public double Texts { get; init; }

    internal static PretrainDataSection Bind(SectionReader reader)
    {
        bool solutions = reader.Flag("solutions", true);
        var section = new PretrainDataSection
        {
            Families = FamilyShare.BindAll(reader),
            Solutions = solutions,
            Facts = reader.Number("facts", solutions ? 0 : 0.5, 0, 1),
            Texts = reader.Number("texts", solutions ? 0 : 0.5, 0, 1),
        };
        double sum = section.Facts + section.Texts;
        reader.Require(sum <= 1, "facts", $"facts and texts together are {sum}", "they may be 1 at most; the rest is solutions");
        reader.Require(solutions || Math.Abs(sum - 1) < 1e-9, "facts", $"facts and texts together are {sum}", "without solutions they must make 1");
        reader.Close();
        return section;
    }

    internal PretrainingMixture ToMixture() => new()
    {
        Problems = [.. Families.Select(share => new ProblemShare(ProblemFamilies.Get(share.Name), share.Level, share.Weight))],
        Solutions = Solutions ? 1 - Facts - Texts : 0,
        Texts = Texts,
        Facts = Facts,
    };
}

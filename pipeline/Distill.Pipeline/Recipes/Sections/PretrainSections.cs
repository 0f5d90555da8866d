using Distill.Architecture;
using Distill.Data.Problems;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;
using Distill.Student.Fused;
using Distill.Student.Pretraining;
using Distill.Student.Training;
using Distill.Tokenization;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>tokenizer</c>: trained on the data of the recipe, or taken from another model.</summary>
internal sealed record TokenizerSection : Section
{
    [Option("entries of a byte-level BPE trained on the data, special tokens included", Minimum = 270, Maximum = 1_000_000)]
    public int VocabularySize { get; init; } = 640;

    [Option("folder with a tokenizer to use instead, or `hf://owner/name`", Default = "none", Path = PathUse.Folder,
        Pulls = PulledModel.Tokenizer, Files = ["tokenizer.json"],
        Remedy = "give a folder with a tokenizer")]
    public string? From { get; init; }

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
        [Rule.Unused(From is not null, nameof(VocabularySize), "has no meaning beside tokenizer.from", "remove one of the two")];
}

/// <summary><c>architecture</c>: the shape of a Qwen3-style decoder with tied embeddings. Defaults: the student of the
/// quickstart.</summary>
internal sealed record ArchitectureSection : Section
{
    [Option("width of the residual stream", Minimum = 8, Maximum = 65_536)]
    public int HiddenSize { get; init; } = 96;

    [Option("blocks of attention and feed-forward", Minimum = 1, Maximum = 512)]
    public int Layers { get; init; } = 4;

    [Option("query heads", Minimum = 1, Maximum = 512)]
    public int Heads { get; init; } = 3;

    [Option("divides `heads`", Minimum = 1, Maximum = 512)]
    public int KeyValueHeads { get; init; } = 1;

    [Option("even", Minimum = 2, Maximum = 1024)]
    public int HeadSize { get; init; } = 32;

    [Option("width of the SwiGLU feed-forward", Minimum = 8, Maximum = 262_144)]
    public int IntermediateSize { get; init; } = 256;

    [Option("longest sequence", Minimum = 16, Maximum = 1 << 20, Unit = "tokens")]
    public int MaxPositions { get; init; } = 512;

    [Option("base of the rotary frequencies", Minimum = 1, Maximum = 1e9)]
    public double RopeTheta { get; init; } = 10_000;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(Heads % KeyValueHeads == 0, nameof(KeyValueHeads), $"does not divide {Heads} heads", "choose a divisor of heads"),
        Rule.Require(HeadSize % 2 == 0, nameof(HeadSize), "odd", "rotary positions need an even head size"),
    ];

    internal DecoderArchitecture ToDecoder(ChatEncoder encoder) => ToDecoder(encoder.Tokenizer.VocabularySize) with
    {
        EosTokenId = encoder.EndToken,
        PadTokenId = encoder.Tokenizer.PadToken,
    };

    /// <summary>The shape alone, before there is a tokenizer.</summary>
    internal DecoderArchitecture ToDecoder(int vocabularySize) => new()
    {
        ModelType = "qwen3",
        VocabularySize = vocabularySize,
        HiddenSize = HiddenSize,
        Layers = Layers,
        Heads = Heads,
        KeyValueHeads = KeyValueHeads,
        HeadSize = HeadSize,
        IntermediateSize = IntermediateSize,
        MaxPositions = MaxPositions,
        RopeTheta = RopeTheta,
    };
}

/// <summary><c>data</c>: an endless mixture of solved problems, problem texts and single-step facts, all from the training split.</summary>
internal sealed record PretrainDataSection : Section
{
    [Option("as `problems.families`", Required = true, Minimum = 1, Maximum = 64)]
    public IReadOnlyList<FamilyShare> Families { get; init; } = [];

    [Option("whether whole solutions are shown: true makes a teacher, false a base that does not reason")]
    public bool Solutions { get; init; } = true;

    [Option("share of examples that are single-step facts", Minimum = 0, Maximum = 1, Default = "0, or 0.5 without solutions")]
    public double Facts { get; init; }

    [Option("share of examples that are problem texts alone", Minimum = 0, Maximum = 1, Default = "0, or 0.5 without solutions")]
    public double Texts { get; init; }

    public override object? DefaultOf(string property, Recipe recipe) =>
        property is nameof(Facts) or nameof(Texts) && !Solutions ? 0.5 : null;

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        double sum = Facts + Texts;
        return
        [
            .. FamilyShare.Rules(nameof(Families), Families),
            Rule.Require(sum <= 1, nameof(Facts), $"facts and texts together are {sum}", "they may be 1 at most; the rest is solutions"),
            Rule.Require(Solutions || Math.Abs(sum - 1) < 1e-9, nameof(Facts), $"facts and texts together are {sum}",
                "without solutions they must make 1"),
        ];
    }

    internal PretrainingMixture ToMixture() => new()
    {
        Problems = [.. Families.Select(share => new ProblemShare(ProblemFamilies.Get(share.Name), share.Level, share.Weight))],
        Solutions = Solutions ? 1 - Facts - Texts : 0,
        Texts = Texts,
        Facts = Facts,
    };
}

/// <summary><c>training</c> of a pretraining recipe. The data are endless, so their amount is steps × sequences per step.</summary>
internal sealed record PretrainTrainingSection : Section
{
    [Option("optimiser steps", Required = true, Minimum = 1, Maximum = 100_000_000, Unit = "steps")]
    public int Steps { get; init; } = 1;

    [Option("texts of one step", Minimum = 1, Maximum = 1 << 20)]
    public int SequencesPerStep { get; init; } = 128;

    [Option(Recipe.OptimizerMeaning)]
    public OptimizerKind Optimizer { get; init; }

    [Option("peak rate of the optimiser", Minimum = 0, Above = true, Maximum = 1)]
    public double LearningRate { get; init; } = 2.5e-3;

    [Option("share of the steps over which the rate rises", Minimum = 0, Maximum = 0.9)]
    public double Warmup { get; init; } = 0.02;

    [Option("as `sft.schedule`; `trapezoid` falls over the last 35 %")]
    public Decay Schedule { get; init; } = Decay.Trapezoid;

    [Option("decoupled, matrices only", Minimum = 0, Maximum = 10)]
    public double WeightDecay { get; init; } = 0.01;

    [Option(Recipe.PrecisionMeaning)]
    public MatmulPrecision Precision { get; init; } = MatmulPrecision.Mixed;

    [Option(Recipe.Tf32Meaning)]
    public bool Tf32 { get; init; }

    [Option(Recipe.ThreadsMeaning, Minimum = 1, Maximum = 256)]
    public int Threads { get; init; } = 2;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(Schedule != Decay.InverseSquareRoot || Warmup > 0, nameof(Warmup),
            "inverse_square_root falls by the length of the warm-up",
            "raise it above 0, e.g. to 0.02"),
    ];

    internal PretrainingOptions ToOptions(ulong seed, PretrainingMixture mixture) => new()
    {
        Mixture = mixture,
        Seed = seed,
        SequencesPerStep = SequencesPerStep,
        Steps = Steps,
        Training = new TrainingOptions
        {
            LearningRate = LearningRate,
            Decay = Schedule,
            WarmupShare = Warmup,
            Optimizer = new AdamWOptions(WeightDecay: WeightDecay, Muon: Optimizer == OptimizerKind.Muon),
            AllowTf32 = Tf32,
            Precision = Precision,
            RoundingSeed = seed,
            Threads = Threads,
        },
    };
}

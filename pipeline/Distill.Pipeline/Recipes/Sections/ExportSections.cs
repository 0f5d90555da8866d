using Distill.Data.Publishing.Licences;
using Distill.Export;
using Distill.Pipeline.Recipes.Binding;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>export</c>: the ONNX folder that apps load.</summary>
internal sealed record ExportSection : Section
{
    [Option("`fp32`; `fp16`, half the size, which CUDA devices need and a CPU runs slowly; `bf16`, for CUDA devices alone; `int8` or "
        + "`int4` for the large matrices")]
    public ExportPrecision Precision { get; init; } = ExportPrecision.Single;

    [Option("chooses the codes of `int8` and `int4` over the run's curated traces, instead of each weight to the nearest: smaller "
        + "loss at the same size", Default = "none: to nearest")]
    public CalibrationSection? Calibration { get; init; }

    [Option("updates of a short distillation of the calibrated export by the unrounded student, which trains scales and norms alone; "
        + "0: none", Minimum = 0, Maximum = 100_000)]
    public int Recover { get; init; }

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(Calibration is null || Precision is ExportPrecision.Int8 or ExportPrecision.Int4, nameof(Calibration),
            "only int8 and int4 have codes to choose", "leave it out, or set export.precision to int4", nameof(Precision)),
        Rule.Require(Recover == 0 || Calibration is not null, nameof(Recover), "there are no texts to recover on",
            "leave it out, or give export.calibration", nameof(Calibration)),
        Rule.Require(Precision.RunsOnProcessor(), nameof(Precision),
            "parity and evaluation run the export on the CPU, which cannot compute it",
            "write another, and make this one of the student's checkpoint with 'distill export --precision bf16'"),
    ];
}

/// <summary><c>export.calibration</c>: codes that are chosen over texts.</summary>
internal sealed record CalibrationSection : Section
{
    [Option("curated traces that codes are chosen over", Minimum = 1, Maximum = 4096)]
    public int Samples { get; init; } = 64;

    [Option("weights that share a scale in 4 bits: 32, 64 or 128", Minimum = 32, Maximum = 128)]
    public int Block { get; init; } = 32;

    [Option("most of graph and data of an `int4` export: what 4 bits leave over gives 8 bits to the matrices that gain most by a byte",
        Minimum = 0, Above = true, Maximum = 1e6, Default = "none: 4 bits for every projection", Unit = "MB")]
    public double? MaxMegabytes { get; init; }

    [Option("further traces on which the export is measured beside fp32 and rounding to nearest, for card and report; 0: none",
        Minimum = 0, Maximum = 1024)]
    public int Measured { get; init; } = 24;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(Block is 32 or 64 or 128, nameof(Block), "no size of a block", "write 32, 64 or 128"),
        Rule.Require(Block == 32 || ((DistillationRecipe)recipe).Export.Precision != ExportPrecision.Int8, nameof(Block),
            "it is the size of a block of 4 bits", "leave it out, or set export.precision to int4"),
        Rule.Require(MaxMegabytes is null || ((DistillationRecipe)recipe).Export.Precision == ExportPrecision.Int4, nameof(MaxMegabytes),
            "it chooses between 4 and 8 bits", "leave it out, or set export.precision to int4"),
    ];
}

/// <summary><c>publish</c>: under which licence results go out, and what may not be in them. Changes no result, only whether it goes
/// out.</summary>
internal sealed record PublishSection : Section
{
    [Option("licence of what is published, e.g. `mit`; a part whose licence does not go with it refuses to be published",
        Default = "what follows from sources, teacher and base", DecidesResult = false)]
    public string Licence { get; init; } = "";

    [Option("the only licences that sources, teacher and base may have", Default = "any", Listed = true, DecidesResult = false)]
    public string Allow { get; init; } = "";

    [Option("what none of them may have: licences, or `attribution`, `share-alike`, `non-commercial`, `no-derivatives`, `naming`, "
        + "`use-restrictions`, `no-training`, `unknown`", Default = "nothing", Listed = true, DecidesResult = false)]
    public string Forbid { get; init; } = "";

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        string[] unknown = [.. ToPolicy().Forbid.Where(word => !PublishPolicy.Words.Contains(word) && LicenceTable.Find(word) is null)];
        yield return Rule.Require(unknown.Length == 0, nameof(Forbid), $"'{string.Join("', '", unknown)}' would never be found",
            $"write a licence that is known, or one of {string.Join(", ", PublishPolicy.Words)}");
    }

    internal PublishPolicy ToPolicy() =>
        new() { Licence = Licence.Length > 0 ? Licence : null, Allow = Words(Allow), Forbid = Words(Forbid) };

    private static string[] Words(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

using System.Text.Json.Nodes;
using Distill.Architecture;

namespace Distill.Student.Tests.Losses;

/// <summary>One family of golden losses: cases beside a file of tensors. Dispose it.</summary>
internal sealed class LossFixture : IDisposable
{
    private readonly SafeTensorsFile tensors;

    /// <summary>Skips the test where the golden values are absent.</summary>
    public LossFixture(string family)
    {
        Root = JsonNode.Parse(File.ReadAllText(FixtureFolder.RequireFile("losses", family + ".json")))!.AsObject();
        tensors = SafeTensorsFile.Open(FixtureFolder.RequireFile("losses", family + ".safetensors"));
    }

    public JsonObject Root { get; }

    public IEnumerable<JsonObject> Cases => Root["cases"]!.AsArray().Select(node => node!.AsObject());

    public static string NameOf(JsonObject golden) => golden["name"]!.GetValue<string>();

    public static double Parameter(JsonObject golden, string name, double fallback = double.NaN) =>
        golden["params"]?[name]?.GetValue<double>() ?? fallback;

    public static string InputOf(JsonObject golden, string name) => golden["inputs"]![name]!.GetValue<string>();

    public static bool Has(JsonObject golden, string input) => golden["inputs"]![input] is not null;

    public long[] Shape(string tensor) => [.. tensors.Entry(tensor).Shape];

    public float[] Singles(string tensor) => tensors.ReadSingles(tensor);

    public float[] Singles(JsonObject golden, string input) => tensors.ReadSingles(InputOf(golden, input));

    public int[] Integers(JsonObject golden, string input) => [.. tensors.ReadIntegers(InputOf(golden, input)).Select(value => (int)value)];

    /// <summary>Stored as numbers of either kind.</summary>
    public int[] Mask(JsonObject golden) =>
        tensors.Entry(InputOf(golden, "mask")).Type == SafeTensorType.Int64 ? Integers(golden, "mask")
        : [.. Singles(golden, "mask").Select(value => (int)value)];

    public float[] Gradient(JsonObject golden) => tensors.ReadSingles(golden["grad"]!.GetValue<string>());

    public static double Loss(JsonObject golden) => golden["loss"]!.GetValue<double>();

    /// <summary>
    /// A value within a share of the expected one, or of 1 where that is smaller: sums of terms that cancel are no nearer.
    /// </summary>
    public static void ShouldBeNear(double actual, double expected, double relative, string name) =>
        actual.ShouldBe(expected, relative * Math.Max(1, Math.Abs(expected)), name);

    /// <summary>The tolerance that the golden values' description calls fair.</summary>
    public static void ShouldMatch(IReadOnlyList<double> actual, IReadOnlyList<float> expected, double relative, string name)
    {
        double bound = relative * expected.Max(value => Math.Abs((double)value)) + 1e-7, worst = 0;
        for (int i = 0; i < expected.Count; i++) worst = Math.Max(worst, Math.Abs(actual[i] - expected[i]));
        worst.ShouldBeLessThanOrEqualTo(bound, name);
    }

    public void Dispose() => tensors.Dispose();
}

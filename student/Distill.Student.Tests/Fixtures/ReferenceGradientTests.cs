using Distill.Student.Autograd;
using Distill.Architecture;
using Distill.Student.Fused;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fixtures;

/// <summary>Loss and gradients of both ways to differentiate against transformers and PyTorch, every family.</summary>
public sealed class ReferenceGradientTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string, bool> Families => Rows("reference.json");

    public static TheoryData<string, bool> WithGradients => Rows("gradients.safetensors");

    [Theory, MemberData(nameof(Families))]
    public void Loss_and_gradient_norms_are_those_of_transformers(string name, bool fused)
    {
        var reference = ReferenceCase.Open(name, "reference.json");
        using var parameters = reference.Parameters();
        using var model = Model(parameters, fused, reference.Time);
        var sequences = reference.Sequences();
        double loss = model.Differentiate(sequences, reference.Loss(sequences)).Loss;
        double lossError = Math.Abs(loss / reference.Number("loss") - 1),
            normError = Math.Abs(Norm(model.Gradient.Host()) / reference.Number("gradientNorm") - 1);
        output.WriteLine($"loss {lossError:E1}, gradient norm {normError:E1} relative");
        lossError.ShouldBeLessThan(Tolerance);
        normError.ShouldBeLessThan(Tolerance);
        int compared = 0;
        foreach (var norm in reference.Values.GetProperty("gradientNorms").EnumerateObject())
        {
            Norm(GradientOf(model, norm.Name))
                .ShouldBe(norm.Value.GetDouble(),
                1e-4 * norm.Value.GetDouble() + 1e-6 * Math.Max(1, reference.Number("gradientNorm")), norm.Name);
            compared++;
        }

        compared.ShouldBe(parameters.Places.Count());
    }

    [Theory, MemberData(nameof(WithGradients))]
    public void Every_gradient_is_that_of_transformers(string name, bool fused)
    {
        var reference = ReferenceCase.Open(name, "gradients.safetensors");
        using var gradients = SafeTensorsFile.Open(Path.Combine(reference.Folder, "gradients.safetensors"));
        using var parameters = reference.Parameters();
        using var model = Model(parameters, fused, reference.Time);
        var sequences = reference.Sequences();
        model.Differentiate(sequences, reference.Loss(sequences));
        foreach (var (parameter, _, _) in parameters.Places)
        {
            float[] expected = gradients.ReadSingles(parameter), actual = GradientOf(model, parameter).ToArray();
            float[] difference = [.. actual.Zip(expected, (a, b) => a - b)];
            // A bias on keys moves all scores of a query alike: its true gradient without rotary embedding is zero, and rounding remains.
            (Norm(difference) / Math.Max(Norm(expected), 1e-3 * reference.Number("gradientNorm"))).ShouldBeLessThan(1e-4, parameter);
        }
    }

    private static TheoryData<string, bool> Rows(string file)
    {
        var rows = new TheoryData<string, bool>();
        foreach (string name in ReferenceCase.With(file).Select(row => row.Data))
            foreach (bool fused in new[] { false, true }) rows.Add(name, fused);
        return rows;
    }

    private static IGradientModel Model(FlatParameters parameters, bool fused, int longest) =>
        fused ? new FusedGradientModel(parameters, MatmulPrecision.Fp32, 2, Math.Max(128, longest))
        : new AutogradGradientModel(parameters);

    private static ReadOnlySpan<float> GradientOf(IGradientModel model, string name) =>
        model.Gradient.Host().Slice((int)model.Parameters.OffsetOf(name), model.Parameters.SpanOf(name).Length);

    private static double Norm(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += (double)value * value;
        return Math.Sqrt(sum);
    }
}

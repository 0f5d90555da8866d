using System.Text.Json;
using Distill.Architecture;
using Distill.Student.Model;
using Distill.Student.Training;

namespace Distill.Student.Tests.Fixtures;

/// <summary>One folder of reference values of transformers: the model, its inputs, and what it must give.</summary>
internal sealed class ReferenceCase
{
    private readonly SafeTensorsFile reference;

    private ReferenceCase(string folder)
    {
        Folder = folder;
        Checkpoint = Checkpoint.Open(folder);
        reference = SafeTensorsFile.Open(Path.Combine(folder, "reference.safetensors"));
        Ids = reference.ReadIntegers("input_ids");
        Rows = (int)reference.Entry("input_ids").Shape[0];
        string values = Path.Combine(folder, "reference.json");
        Values = File.Exists(values) ? JsonDocument.Parse(File.ReadAllBytes(values)).RootElement : default;
    }

    public string Folder { get; }

    public Checkpoint Checkpoint { get; }

    /// <summary>[rows, time]</summary>
    public long[] Ids { get; }

    public int Rows { get; }

    public int Time => Ids.Length / Rows;

    public JsonElement Values { get; }

    public static ReferenceCase Open(string name, string needed = "reference.safetensors") =>
        new(Path.GetDirectoryName(FixtureFolder.RequireFile("hf", name, needed))!);

    public static TheoryData<string> With(string file) => FixtureFolder.Rows("hf", folder => File.Exists(Path.Combine(folder, file)));

    public FlatParameters Parameters()
    {
        var parameters = new FlatParameters(Checkpoint.Architecture);
        parameters.Load(Checkpoint.LoadWeights());
        return parameters;
    }

    public float[] Singles(string name) => reference.ReadSingles(name);

    public double Number(string name) => Values.GetProperty(name).GetDouble();

    /// <summary>Every row as a sequence of which everything is predicted; the loss chooses what counts.</summary>
    public List<TrainingSequence> Sequences() =>
        [.. Enumerable.Range(0, Rows).Select(row => new TrainingSequence([.. Ids.Skip(row * Time).Take(Time).Select(id => (int)id)], 1))];

    public MaskedCrossEntropy Loss(List<TrainingSequence> sequences) => new(sequences, reference.ReadIntegers("labels"), Time);
}

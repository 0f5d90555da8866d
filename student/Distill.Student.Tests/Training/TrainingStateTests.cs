using Distill.Architecture;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

/// <summary>A state that is not what was written is told from every other fault, changes nothing and is set aside.</summary>
public sealed class TrainingStateTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("distill-state").FullName;

    private string StatePath => Path.Combine(folder, "state.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_whole_state_is_read_and_is_a_safetensors_file_for_everyone()
    {
        float[] written = Write();
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), seed: 9);
        var optimizer = new AdamW(parameters, new AdamWOptions());
        new TrainingState(StatePath, "digest", parameters, optimizer).TryLoad(warning: null).ShouldBeTrue();
        parameters.Span.ToArray().ShouldBe(written);
        optimizer.Steps.ShouldBe(7);
        using var file = SafeTensorsFile.Open(StatePath);
        file.ReadSingles("weights").ShouldBe(written);
        file.Entries[^1].Count.ShouldBe(32);
    }

    // Header, weights, moments, counters and the checksum itself.
    [Theory, InlineData(0), InlineData(9), InlineData(0.1), InlineData(0.3), InlineData(0.6), InlineData(0.9), InlineData(-33),
        InlineData(-1)]
    public void One_flipped_bit_is_found_wherever_it_lies(double place)
    {
        Write();
        byte[] bytes = File.ReadAllBytes(StatePath);
        int index = place < 0 ? bytes.Length + (int)place : place is > 0 and < 1 ? (int)(place * bytes.Length) : (int)place;
        bytes[index] ^= 4;
        File.WriteAllBytes(StatePath, bytes);
        ShouldBeSetAside("checksum");
    }

    [Theory, InlineData(0), InlineData(20), InlineData(32), InlineData(5000)]
    public void A_state_that_was_cut_off_is_found(int length)
    {
        Write();
        File.WriteAllBytes(StatePath, File.ReadAllBytes(StatePath)[..length]);
        ShouldBeSetAside(length > 32 ? "checksum" : "no whole state");
    }

    [Fact]
    public void A_file_of_something_else_is_found()
    {
        SafeTensorsWriter.Write(StatePath, [SafeTensor.Singles("weights", [3], new float[3])]);
        ShouldBeSetAside("never a state");
    }

    [Fact]
    public void The_state_of_another_training_is_found()
    {
        Write("another");
        ShouldBeSetAside("another training");
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_no_damaged_state()
    {
        Write();
        using var held = new FileStream(StatePath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var state = new TrainingState(StatePath, "digest", parameters, new AdamW(parameters, new AdamWOptions()));
        Should.Throw<IOException>(() => state.TryLoad(_ => { }));
    }

    private float[] Write(string digest = "digest")
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), seed: 5);
        var optimizer = new AdamW(parameters, new AdamWOptions());
        optimizer.Steps = 7;
        new TrainingState(StatePath, digest, parameters, optimizer).Save();
        return parameters.Span.ToArray();
    }

    private void ShouldBeSetAside(string reason)
    {
        byte[] bytes = File.ReadAllBytes(StatePath);
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture(), seed: 3);
        float[] before = parameters.Span.ToArray();
        var optimizer = new AdamW(parameters, new AdamWOptions());
        var state = new TrainingState(StatePath, "digest", parameters, optimizer);
        var refused = Should.Throw<UnusableStateException>(() => state.TryLoad(warning: null));
        (refused.Path, File.Exists(StatePath)).ShouldBe((StatePath, true));
        refused.Reason.ShouldContain(reason);
        var warnings = new List<string>();
        state.TryLoad(warnings.Add).ShouldBeFalse();
        warnings.ShouldHaveSingleItem().ShouldContain("state.safetensors.damaged");
        File.Exists(StatePath).ShouldBeFalse();
        File.ReadAllBytes(StatePath + TrainingState.SetAsideSuffix).ShouldBe(bytes);
        parameters.Span.ToArray().ShouldBe(before);
        optimizer.Steps.ShouldBe(0);
    }
}

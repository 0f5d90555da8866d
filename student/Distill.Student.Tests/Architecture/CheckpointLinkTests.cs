using Distill.Architecture;

namespace Distill.Student.Tests.Checkpoints;

/// <summary>
/// The cache of huggingface_hub is links from snapshots into blobs; other links out of a checkpoint's folder are refused.
/// </summary>
public sealed class CheckpointLinkTests : IDisposable
{
    private readonly TemporaryFolder root = new();

    private string Snapshot => root.File("models--owner--name/snapshots/0123abcd");

    public void Dispose() => root.Dispose();

    [Theory, InlineData(long.MaxValue), InlineData(4000L)]
    public void A_snapshot_of_the_cache_is_a_checkpoint(long shardBytes)
    {
        var weights = Save(shardBytes);
        var opened = Checkpoint.Open(Snapshot);
        (opened.Architecture, opened.Warnings.Count).ShouldBe((weights.Architecture, 0));
        opened.Tokenizer!.TokenizerConfig.ShouldNotBeNull();
        opened.LoadWeights()[ParameterMap.Embedding].ToArray().ShouldBe(weights[ParameterMap.Embedding].ToArray());
        Directory.GetFiles(Snapshot).ShouldAllBe(file => File.ResolveLinkTarget(file, false) != null);
    }

    [Theory, InlineData("config.json"), InlineData("generation_config.json"), InlineData("model.safetensors"), InlineData("tokenizer.json")]
    public void A_link_out_of_the_cache_is_refused(string name)
    {
        Save(long.MaxValue);
        string outside = root.File("outside");
        File.Copy(Path.Combine(Snapshot, name), outside);
        File.Delete(Path.Combine(Snapshot, name));
        File.CreateSymbolicLink(Path.Combine(Snapshot, name), outside);
        Should.Throw<InvalidDataException>(() => Checkpoint.Open(Snapshot)).Message.ShouldContain("symbolic link");
    }

    private WeightSet Save(long shardBytes)
    {
        using var parameters = TinyDecoder.Parameters(TinyDecoder.Architecture());
        var weights = parameters.ToWeightSet();
        string plain = root.File("plain"), blobs = root.File("models--owner--name/blobs");
        var tokenizer = new TokenizerFiles("""{"model":{"vocab":{"a":0}},"added_tokens":[]}"""u8.ToArray(), "{}"u8.ToArray(), null);
        Checkpoint.Save(plain, weights, tokenizer, new CheckpointStorage(MaxShardBytes: shardBytes));
        Directory.CreateDirectory(blobs);
        Directory.CreateDirectory(Snapshot);
        foreach (var (index, file) in Directory.GetFiles(plain).Index())
        {
            File.Move(file, Path.Combine(blobs, $"blob{index}"));
            File.CreateSymbolicLink(Path.Combine(Snapshot, Path.GetFileName(file)), $"../../blobs/blob{index}");
        }

        return weights;
    }
}

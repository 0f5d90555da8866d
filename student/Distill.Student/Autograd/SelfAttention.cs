using Distill.Architecture;
using Distill.Libtorch;
using static TorchSharp.torch;

namespace Distill.Student.Autograd;

/// <summary>
/// The attention half of a layer and its way back: grouped queries, QK-norm, rotary embedding, causal or windowed. Attention itself runs
/// bucket by bucket on strided views, key-value heads expanded without a copy. One thread.
/// </summary>
internal sealed class SelfAttention(IDecoderWeights weights, int layer, IDeviceOperations operations)
{
    private readonly DecoderArchitecture architecture = weights.Architecture;
    private readonly RootMeanSquareNorm norm = new(weights, ParameterMap.Layer(layer, "input_layernorm.weight"));
    private readonly HeadPreparation queries = new(weights, layer, "q", weights.Architecture.Heads),
        keys = new(weights, layer, "k", weights.Architecture.KeyValueHeads);
    private readonly IProjection values = weights.Projection(layer, "self_attn.v_proj"),
        output = weights.Projection(layer, "self_attn.o_proj");

    /// <param name="x">[rows, hidden] fp32: the residual stream.</param>
    /// <param name="trace">Gets what <see cref="Backward"/> needs; null: nothing is kept.</param>
    /// <returns>[rows, hidden] fp32: the residual stream after it.</returns>
    public Tensor Forward(Tensor x, DeviceBatch batch, LayerTrace? trace)
    {
        using var scope = NewDisposeScope();
        var (normed, inverse) = norm.Forward(x);
        normed = normed.to(weights.Precision);
        trace?.KeepAttention(x, inverse, normed);
        Tensor q = queries.Forward(normed, batch, trace), k = keys.Forward(normed, batch, trace), v = values.Forward(normed);
        var mixed = empty_like(q); // [rows, heads · size]
        foreach (var bucket in batch.Buckets) Attend(bucket, q, k, v, mixed, batch, trace);
        return x.add(output.Forward(mixed), KeptScalar.One).MoveToOuterDisposeScope();
    }

    /// <param name="gradient">[rows, hidden] fp32: by the residual stream after it; overwritten by that before it.</param>
    public void Backward(LayerTrace trace, DeviceBatch batch, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        var (x, inverse, normed) = trace.Attention;
        var slopes = output.Backward(Mixed(trace, batch), gradient.to(weights.Precision), null);
        long rows = x.shape[0], size = architecture.HeadSize;
        Tensor Rows(int heads) => empty([rows, heads * size], weights.Precision, weights.Device);
        Tensor q = Rows(architecture.Heads), k = Rows(architecture.KeyValueHeads), v = Rows(architecture.KeyValueHeads);
        foreach (var (bucket, call) in batch.Buckets.Zip(trace.Calls))
        {
            var pulled = autograd.grad([call.Output], [.. call.Leaves], [Grouped(slopes, bucket)]);
            Grouped(q, bucket).copy_(pulled[0]);
            Shared(k, bucket).copy_(pulled[1]);
            Shared(v, bucket).copy_(pulled[2]);
            if (bucket.Prompt is { } prompt) // whose own bucket came before
            {
                Prompt(k, prompt).add_(pulled[3], KeptScalar.One);
                Prompt(v, prompt).add_(pulled[4], KeptScalar.One);
            }

            foreach (var tensor in pulled) tensor.Dispose();
        }

        var sum = queries.Backward(normed, q, batch, trace, null);
        sum = values.Backward(normed, v, keys.Backward(normed, k, batch, trace, sum));
        norm.Backward(x, inverse, sum, gradient);
    }

    private void Attend(LengthBucket bucket, Tensor q, Tensor k, Tensor v, Tensor mixed, DeviceBatch batch, LayerTrace? trace)
    {
        using var scope = NewDisposeScope();
        using var graph = trace is null ? no_grad() : enable_grad(); // of attention alone
        Tensor Leaf(Tensor view) => trace is null ? view : view.detach().requires_grad_(true);
        Tensor own = Leaf(Grouped(q, bucket)), key = Leaf(Shared(k, bucket)), value = Leaf(Shared(v, bucket));
        (Tensor Keys, Tensor Values)? prompt = bucket.Prompt is { } shared ? (Leaf(Prompt(k, shared)), Leaf(Prompt(v, shared))) : null;
        var result = operations.Attention(
            own, Expanded(prompt?.Keys, key, bucket), Expanded(prompt?.Values, value, bucket),
            batch.Mask(bucket, architecture.WindowOf(layer)));
        using var without = no_grad();
        Grouped(mixed, bucket).copy_(result);
        trace?.Keep(new AttentionCall(own, key, value, prompt, result));
    }

    // What entered the output projection is laid anew: kept, it would be there twice.
    private Tensor Mixed(LayerTrace trace, DeviceBatch batch)
    {
        var mixed = empty([batch.Ids.shape[0], (long)architecture.Heads * architecture.HeadSize], weights.Precision, weights.Device);
        foreach (var (bucket, call) in batch.Buckets.Zip(trace.Calls)) Grouped(mixed, bucket).copy_(call.Output);
        return mixed;
    }

    // [rows, heads · size] → [sequences · key-value heads, group, time, size]: a view, because positions lie outermost.
    private Tensor Grouped(Tensor rows, LengthBucket bucket) => View(rows, bucket, architecture.Heads / architecture.KeyValueHeads);

    // [rows, key-value heads · size] → [sequences · key-value heads, 1, time, size]
    private Tensor Shared(Tensor rows, LengthBucket bucket) => View(rows, bucket, 1);

    // [rows, key-value heads · size] → [key-value heads, 1, time, size] of one prompt
    private Tensor Prompt(Tensor rows, SharedPrompt prompt) => Shared(rows, prompt.Bucket)
        .narrow(0, (long)prompt.Column * architecture.KeyValueHeads, architecture.KeyValueHeads).narrow(2, 0, prompt.Length);

    // Every segment's keys or values behind those of the prompt, for every query of a group.
    private Tensor Expanded(Tensor? prompt, Tensor own, LengthBucket bucket)
    {
        long heads = architecture.KeyValueHeads, size = architecture.HeadSize;
        if (prompt is not null)
            own = cat([prompt.unsqueeze(0).expand(bucket.Count, heads, 1, bucket.Before, size),
                own.view(bucket.Count, heads, 1, bucket.Length, size)], 3).view(-1, 1, bucket.Before + bucket.Length, size);
        return own.expand(-1, architecture.Heads / heads, -1, -1);
    }

    private Tensor View(Tensor rows, LengthBucket bucket, int groups) => rows.narrow(0, bucket.Start, bucket.Rows)
        .view(bucket.Length, (long)bucket.Count * architecture.KeyValueHeads, groups, architecture.HeadSize).permute(1, 2, 0, 3);
}

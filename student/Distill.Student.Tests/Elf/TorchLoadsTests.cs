using TorchSharp;

namespace Distill.Student.Tests.Elf;

public sealed class TorchLoadsTests
{
    [Fact]
    public void TorchSharp_loads_and_computes()
    {
        using var ones = torch.ones(2);
        using var sum = ones.sum();

        sum.item<float>().ShouldBe(2);
    }
}
